/** A form for a new passphrase or PIN, typed twice: nobody can reset it, so it must be what was meant. */
import { type FormEvent, type ReactNode, useState } from 'react'
import { useWords } from '../i18n/index.ts'
import { Button } from './button.tsx'
import { TextField } from './field.tsx'

export function NewSecretForm({
  label,
  hint,
  leastLength,
  tooShort,
  action,
  onSubmit,
  before,
  more,
  isAtEnd = false,
}: {
  readonly label: string
  readonly hint?: string | undefined
  readonly leastLength: number
  /** Said of a shorter one. */
  readonly tooShort: string
  /** On the button. */
  readonly action: string
  /** Answers with what went wrong, in words for people. */
  readonly onSubmit: (secret: string) => Promise<string | undefined> | undefined
  /** Fields above. */
  readonly before?: ReactNode
  /** Buttons beside. */
  readonly more?: ReactNode
  readonly isAtEnd?: boolean
}) {
  const words = useWords()
  const [secret, setSecret] = useState('')
  const [repeated, setRepeated] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    if (secret.length < leastLength) return setError(tooShort)
    if (secret !== repeated) return setError(words('settings.passphrase.differ'))
    setBusy(true)
    setError(undefined)
    setError(await onSubmit(secret))
    setBusy(false)
  }
  return (
    <form className="form" noValidate onSubmit={(event) => void submit(event)}>
      {before}
      <TextField
        label={label}
        hint={hint}
        type="password"
        autoComplete="new-password"
        value={secret}
        onChange={(event) => setSecret(event.currentTarget.value)}
      />
      <TextField
        label={words('settings.passphrase.repeat')}
        type="password"
        autoComplete="new-password"
        value={repeated}
        error={error}
        onChange={(event) => setRepeated(event.currentTarget.value)}
      />
      <div className={`buttons ${isAtEnd ? 'buttons-end' : ''}`}>
        <Button look="main" submit busy={busy}>
          {action}
        </Button>
        {more}
      </div>
    </form>
  )
}

/** Of passphrases, in characters. */
export const LEAST_PASSPHRASE = 8
