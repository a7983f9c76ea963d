/** What the server knows, asked just now, in plain words. Nobody else has this page. */
import { useCallback, useEffect, useState } from 'react'
import { requireCouplet, useMessenger } from '../../app/messenger.ts'
import { usePhones } from '../../app/phones.ts'
import { askServer, type ServerFacts } from '../../app/server-side.ts'
import { useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'

export function WhatTheServerKnows() {
  const words = useWords()
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
        <dt>{words('settings.server.waiting')}</dt>
        <dd>
          {facts?.waiting === undefined
            ? facts && words('settings.server.keeps', { count: facts.capacity })
            : facts.waiting || words('settings.server.waiting.none')}
        </dd>
        {isOnline && (
          <>
            <dt>{words('settings.server.connected')}</dt>
            <dd>{words('settings.server.connected.now')}</dd>
          </>
        )}
        <dt>{words('settings.server.address')}</dt>
        <dd dir="ltr">{facts?.address}</dd>
        <dt>{words('settings.server.version')}</dt>
        <dd>{facts?.version}</dd>
      </dl>
      <Button onClick={ask}>{words('settings.server.refresh')}</Button>
    </>
  )
}
