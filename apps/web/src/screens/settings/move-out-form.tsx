/** The passphrase of the file, twice: nobody can reset it. */
import { type FormEvent, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { moveOut } from '../../app/moving.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { showToast } from '../../ui/toast.tsx'

export function MoveOutForm() {
  const { words, tag } = useLanguage()
  const [passphrase, setPassphrase] = useState('')
  const [repeated, setRepeated] = useState('')
  const [error, setError] = useState<string>()

  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (passphrase.length < LEAST_LENGTH) return setError(words('settings.passphrase.short'))
    if (passphrase !== repeated) return setError(words('settings.passphrase.differ'))
    // This form is gone when it fails: the page around it was shown anew meanwhile.
    moveOut(passphrase).catch((failure: unknown) =>
      showToast(sentenceFor(words, failureOf(failure), tag), 'failure'),
    )
  }
  return (
    <form className="form" onSubmit={submit}>
      <TextField
        label={words('moving.passphrase')}
        type="password"
        autoComplete="new-password"
        value={passphrase}
        onChange={(event) => setPassphrase(event.currentTarget.value)}
      />
      <TextField
        label={words('settings.passphrase.repeat')}
        type="password"
        autoComplete="new-password"
        value={repeated}
        error={error}
        onChange={(event) => setRepeated(event.currentTarget.value)}
      />
      <div className="buttons buttons-end">
        <Button look="main" submit>
          {words('settings.export.button')}
        </Button>
      </div>
    </form>
  )
}

const LEAST_LENGTH = 8
