/** Setting, changing and taking away the passphrase. */
import { type FormEvent, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { changePassphrase } from '../../app/session.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { showToast } from '../../ui/toast.tsx'

export function PassphraseForm({
  hasOne,
  onDone,
}: {
  readonly hasOne: boolean
  readonly onDone: (isSet: boolean) => void
}) {
  const words = useWords()
  const { tag } = useLanguage()
  const [before, setBefore] = useState('')
  const [next, setNext] = useState('')
  const [repeated, setRepeated] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  const change = async (wanted: string | undefined) => {
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      await changePassphrase(hasOne ? before : undefined, wanted)
      onDone(wanted !== undefined)
    } catch (thrown) {
      const failure = failureOf(thrown)
      const isWrong = failure.code === 'wrong-passphrase'
      const sentence = isWrong ? words('locked.wrong') : sentenceFor(words, failure, tag)
      setError(sentence)
      // The page around this form may have been shown anew meanwhile.
      showToast(sentence, 'failure')
    } finally {
      setBusy(false)
    }
  }
  const submit = (event: FormEvent) => {
    event.preventDefault()
    if (next.length < LEAST_LENGTH) setError(words('settings.passphrase.short'))
    else if (next !== repeated) setError(words('settings.passphrase.differ'))
    else void change(next)
  }

  return (
    <form className="form" onSubmit={submit}>
      {hasOne && (
        <TextField
          label={words('settings.passphrase.old')}
          type="password"
          autoComplete="current-password"
          value={before}
          onChange={(event) => setBefore(event.currentTarget.value)}
        />
      )}
      <TextField
        label={words('settings.passphrase.new')}
        type="password"
        autoComplete="new-password"
        value={next}
        onChange={(event) => setNext(event.currentTarget.value)}
      />
      <TextField
        label={words('settings.passphrase.repeat')}
        type="password"
        autoComplete="new-password"
        value={repeated}
        error={error}
        onChange={(event) => setRepeated(event.currentTarget.value)}
      />
      <div className="buttons">
        <Button look="main" submit busy={busy}>
          {words(hasOne ? 'settings.passphrase.change' : 'settings.passphrase.add')}
        </Button>
        {hasOne && (
          <Button onClick={() => void change(undefined)}>
            {words('settings.passphrase.remove')}
          </Button>
        )}
      </div>
    </form>
  )
}

const LEAST_LENGTH = 8
