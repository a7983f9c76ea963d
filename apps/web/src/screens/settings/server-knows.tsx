/** What the server knows, asked just now, in plain words. Nobody else has this page. */
import { useCallback, useEffect, useState } from 'react'
import { requireCouplet, useMessenger } from '../../app/messenger.ts'
import { usePhones } from '../../app/phones.ts'
import { askServer, type ServerFacts } from '../../app/server-side.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { fullTime } from '../../i18n/time.ts'
import { Button } from '../../ui/button.tsx'

export function WhatTheServerKnows() {
  const { words, tag } = useLanguage()
  const phones = usePhones()
  const isOnline = useMessenger((state) => state.connection.state === 'online')
  const [facts, setFacts] = useState<ServerFacts | 'failed'>()
  const { phone, identityId } = requireCouplet()
  const ask = useCallback(() => {
    askServer().then(setFacts, () => setFacts('failed'))
  }, [])
  useEffect(ask, [ask])

  if (facts === 'failed') {
    return (
      <div className="note note-bad" role="alert">
        <p>{words('settings.server.failed')}</p>
        <Button onClick={ask}>{words('common.retry')}</Button>
      </div>
    )
  }
  return (
    <>
      <p className="page-text">{words('settings.server.text')}</p>
      <dl className="facts" data-testid="server-facts">
        <dt>{words('settings.server.number')}</dt>
        <dd dir="ltr">{phones.format(phone)}</dd>
        <dt>{words('settings.server.keys')}</dt>
        <dd>
          RSA-3072, Ed25519, X25519, ML-KEM-768
          <br />
          <code className="facts-key">{identityId}</code>
        </dd>
        <dt>{words('settings.server.since')}</dt>
        <dd>{facts && fullTime(facts.account.registeredAt, tag)}</dd>
        <dt>{words('settings.server.waiting')}</dt>
        <dd>{facts && <Waiting {...facts} />}</dd>
        <dt>{words('settings.server.connected')}</dt>
        <dd>
          {words(isOnline ? 'settings.server.connected.now' : 'settings.server.connected.day')}
        </dd>
        <dt>{words('settings.server.push')}</dt>
        <dd>
          {facts &&
            (facts.account.push
              ? words('settings.server.push.on', { service: facts.account.push.service })
              : words('settings.server.push.off'))}
        </dd>
        <dt>{words('settings.lock')}</dt>
        <dd>
          {facts &&
            words(facts.account.lock ? 'settings.server.lock.on' : 'settings.server.lock.off')}
        </dd>
        <dt>{words('settings.server.address')}</dt>
        <dd dir="ltr">{facts?.address}</dd>
        <dt>{words('settings.server.version')}</dt>
        <dd>{facts?.info.version}</dd>
      </dl>
      <Button onClick={ask}>{words('settings.server.refresh')}</Button>
    </>
  )
}

/** How many wait, and how many could. */
function Waiting({ account: { waiting }, info: { capacity } }: ServerFacts) {
  const words = useWords()
  return (
    <>
      {waiting === undefined
        ? words('settings.server.waiting.unsaid')
        : waiting || words('settings.server.waiting.none')}
      <span className="field-hint">{words('settings.server.keeps', { count: capacity })}</span>
    </>
  )
}
