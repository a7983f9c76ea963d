import { type FormEvent, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { refreshPerson, requireCouplet } from '../../app/messenger.ts'
import { changePerson } from '../../app/people.ts'
import { usePhones } from '../../app/phones.ts'
import { go } from '../../app/places.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { nothingTyped, PhoneField, phoneOf } from '../../ui/phone-field.tsx'
import { copyText } from '../../ui/toast.tsx'

export function ByNumber({ onDone }: { readonly onDone: () => void }) {
  const { words, tag } = useLanguage()
  const phones = usePhones()
  const [typed, setTyped] = useState(nothingTyped)
  const [name, setName] = useState('')
  const [error, setError] = useState<string>()
  const [isUnknown, setUnknown] = useState(false)
  const [busy, setBusy] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    const couplet = requireCouplet()
    setBusy(true)
    try {
      const phone = await phoneOf(typed)
      if (!phone || phone === couplet.phone) {
        const empty = typed.text.trim() ? 'welcome.error.number' : 'welcome.error.empty'
        setError(words(phone ? 'new.self' : empty))
        return setBusy(false)
      }
      // Asks the server for the key, and pins it.
      await couplet.verify(phone)
      if (name.trim()) await changePerson(phone, { name: name.trim() })
      await refreshPerson(phone)
      onDone()
      go({ kind: 'chat', peer: phone })
    } catch (thrown) {
      const failure = failureOf(thrown)
      const isNobody = failure.code === 'unknown-recipient'
      setUnknown(isNobody)
      setError(
        isNobody
          ? words('new.unknown', { phone: phones.format(typed.phone ?? typed.text) })
          : sentenceFor(words, failure, tag),
      )
      setBusy(false)
    }
  }

  return (
    <form className="form" onSubmit={(event) => void submit(event)} noValidate>
      <PhoneField
        autoFocus
        value={typed}
        error={error}
        onChange={(value) => {
          setTyped(value)
          setError(undefined)
          setUnknown(false)
        }}
      />
      {isUnknown && (
        <Button
          look="quiet"
          icon="copy"
          onClick={() =>
            void copyText(
              words('new.invite.text', { server: requireCouplet().server }),
              words('common.copied'),
            )
          }
        >
          {words('new.invite')}
        </Button>
      )}
      <TextField
        label={`${words('person.name')} (${words('common.optional')})`}
        hint={words('person.name.hint')}
        value={name}
        maxLength={80}
        autoComplete="off"
        dir="auto"
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <Button look="main" submit busy={busy} className="button-wide">
        {busy ? words('new.looking') : words('new.start')}
      </Button>
    </form>
  )
}
