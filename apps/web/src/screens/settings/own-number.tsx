/** Moving to another number: what it means, and where the code shall go. */
import { type FormEvent, useRef, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet } from '../../app/messenger.ts'
import { askForNewNumber } from '../../app/own-number.ts'
import { usePhones } from '../../app/phones.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { nothingTyped, PhoneField, phoneOf } from '../../ui/phone-field.tsx'
import { showToast } from '../../ui/toast.tsx'
import { useInvitation } from '../start/invitation.tsx'

export function OwnNumber() {
  const words = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="choice-row">
      <div>
        <span className="switch-label">{words('number.title')}</span>
        <span className="field-hint">{words('number.hint')}</span>
      </div>
      <Button onClick={() => setOpen(true)}>{words('number.change')}</Button>
      <Dialog title={words('number.title')} open={isOpen} onClose={() => setOpen(false)}>
        <NewNumberForm />
      </Dialog>
    </div>
  )
}

function NewNumberForm() {
  const { words, tag } = useLanguage()
  const phones = usePhones()
  const [typed, setTyped] = useState(nothingTyped)
  const [error, setError] = useState<string>()
  const field = useRef<HTMLInputElement>(null)
  const invited = useInvitation()
  const own = requireCouplet().phone

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    const phone = await phoneOf(typed)
    if (!phone || phone === own) {
      const why = typed.text.trim() ? 'welcome.error.number' : 'welcome.error.empty'
      setError(words(phone ? 'number.same' : why))
      return field.current?.focus()
    }
    if (invited.isMissing()) return
    // This form is gone when it fails: the page around it was shown anew meanwhile.
    askForNewNumber(phone, invited.invitation).catch((thrown: unknown) => {
      const failure = failureOf(thrown)
      showToast(sentenceFor(words, failure, tag), 'failure')
    })
  }
  return (
    <form className="form" noValidate onSubmit={(event) => void submit(event)}>
      <p className="dialog-text">{words('number.text', { phone: phones.format(own) })}</p>
      <PhoneField
        ref={field}
        autoFocus
        value={typed}
        error={error}
        onChange={(value) => {
          setTyped(value)
          setError(undefined)
        }}
      />
      {invited.field}
      <div className="buttons buttons-end">
        <Button look="main" submit>
          {words('welcome.send')}
        </Button>
      </div>
    </form>
  )
}
