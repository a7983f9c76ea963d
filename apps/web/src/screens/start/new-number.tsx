/** Another number for this account: its code, and what is worth doing afterwards. */
import { useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet } from '../../app/messenger.ts'
import { newNumberCode, peopleToTell, tellPeople } from '../../app/own-number.ts'
import { usePhones } from '../../app/phones.ts'
import { type NumberChange, show } from '../../app/session.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Stage } from '../../ui/stage.tsx'
import { showToast } from '../../ui/toast.tsx'
import { Code } from './code.tsx'

export function NewNumberCode({ change }: { readonly change: NumberChange }) {
  return <Code pending={change.pending} askedAt={change.askedAt} entry={newNumberCode(change)} />
}

export function NumberChanged({
  formerPhone,
  replaced,
}: {
  readonly formerPhone: string
  readonly replaced: boolean
}) {
  const { words, tag } = useLanguage()
  const phones = usePhones()
  const [busy, setBusy] = useState(false)
  const { phone } = requireCouplet()
  const people = peopleToTell()
  const leave = () => show({ kind: 'ready' })
  const tell = async () => {
    setBusy(true)
    try {
      await tellPeople(people, words('number.tell.message', { phone }))
      showToast(words('number.told', { count: people.length }))
      leave()
    } catch (failure) {
      showToast(sentenceFor(words, failureOf(failure), tag), 'failure')
      setBusy(false)
    }
  }
  return (
    <Stage title={words('number.done.title')}>
      <p className="stage-text">
        {words('number.done.text', {
          phone: phones.format(phone),
          former: phones.format(formerPhone),
        })}
      </p>
      {replaced && <p className="note">{words('done.replaced')}</p>}
      {people.length === 0 ? (
        <Button look="main" className="button-wide" onClick={leave}>
          {words('number.done.button')}
        </Button>
      ) : (
        <>
          <p className="stage-text">{words('number.tell.text', { count: people.length })}</p>
          <Button look="main" className="button-wide" busy={busy} onClick={() => void tell()}>
            {words('number.tell.button')}
          </Button>
          <Button look="quiet" onClick={leave}>
            {words('number.tell.later')}
          </Button>
        </>
      )}
    </Stage>
  )
}
