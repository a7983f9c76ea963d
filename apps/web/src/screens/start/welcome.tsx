/** The first screen: one sentence, a number, one button. The keys are made while it is busy. */
import { type FormEvent, useRef, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { useInstall } from '../../app/install.ts'
import { usePhones } from '../../app/phones.ts'
import { askForCode } from '../../app/session.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { nothingTyped, PhoneField, phoneOf } from '../../ui/phone-field.tsx'
import { Stage } from '../../ui/stage.tsx'
import { useInvitation } from './invitation.tsx'
import { RestoreLink } from './restore-link.tsx'

export function Welcome() {
  const words = useWords()
  const { tag } = useLanguage()
  const phones = usePhones()
  const isByHand = useInstall((state) => state.way === 'by-hand')
  const [typed, setTyped] = useState(nothingTyped)
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const invited = useInvitation()

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      const phone = await phoneOf(typed)
      if (!phone) {
        setError(words(typed.text.trim() ? 'welcome.error.number' : 'welcome.error.empty'))
        field.current?.focus()
        return setBusy(false)
      }
      if (invited.isMissing()) return setBusy(false)
      await askForCode(phone, invited.invitation)
    } catch (thrown) {
      const failure = failureOf(thrown)
      if (!invited.isRefused(failure.code)) {
        setError(sentenceFor(words, failure, tag))
        field.current?.focus()
      }
      setBusy(false)
    }
  }

  return (
    <Stage
      step={1}
      title={
        <>
          <span>{words('welcome.title')}</span>{' '}
          <span className="stage-soft">{words('welcome.subtitle')}</span>
        </>
      }
    >
      <p className="stage-text">{words('welcome.text')}</p>
      {isByHand && (
        <p className="note note-icon">
          <Icon name="share" />
          <span>{words('install.first')}</span>
        </p>
      )}
      <form className="form" onSubmit={(event) => void submit(event)} noValidate>
        <PhoneField
          ref={field}
          value={typed}
          onChange={(value) => {
            setTyped(value)
            setError(undefined)
          }}
          error={error}
          hint={
            typed.phone
              ? words('welcome.echo', { phone: phones.format(typed.phone) })
              : words('welcome.hint')
          }
        />
        {invited.field}
        <Button look="main" submit busy={busy} className="button-wide">
          {busy ? words('welcome.sending') : words('welcome.send')}
        </Button>
      </form>
      <p className="stage-foot">{words('welcome.server', { server: location.host })}</p>
      <RestoreLink />
    </Stage>
  )
}
