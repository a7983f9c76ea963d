/** A number with a registration lock: the code was right, and now its PIN. */
import { type FormEvent, useState } from 'react'
import { type Failure, failureOf, sentenceFor } from '../../app/failures.ts'
import type { CodeEntry } from '../../app/session.ts'
import { useLanguage } from '../../i18n/index.ts'
import { duration } from '../../i18n/time.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { Stage } from '../../ui/stage.tsx'

export function Pin({
  code,
  failure,
  entry,
  onCodeOver,
}: {
  readonly code: string
  /** Why this is asked: how many tries there are, or how long to wait. */
  readonly failure: Failure
  readonly entry: CodeEntry
  /** The code does not count any more. */
  readonly onCodeOver: (failure: Failure) => void
}) {
  const { words, tag } = useLanguage()
  const [pin, setPin] = useState('')
  const [busy, setBusy] = useState(false)
  const [error, setError] = useState<string | undefined>(() => waitWords(failure))

  function waitWords({ retryAfterMs }: Failure): string | undefined {
    if (retryAfterMs === undefined) return undefined
    return words('pin.wait', { time: duration(retryAfterMs, tag) })
  }
  const explain = (thrown: Failure) =>
    waitWords(thrown) ??
    (thrown.triesLeft === undefined
      ? words('pin.wrong.plain')
      : words('pin.wrong', { count: thrown.triesLeft }))

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    if (pin.trim() === '') return setError(words('pin.empty'))
    setBusy(true)
    setError(undefined)
    try {
      await entry.submit(code, pin.trim())
    } catch (thrown) {
      const why = failureOf(thrown)
      if (CODE_OVER.has(why.code)) return onCodeOver(why)
      setError(why.code === 'registration-locked' ? explain(why) : sentenceFor(words, why, tag))
      setPin('')
      setBusy(false)
    }
  }
  return (
    <Stage step={entry.isFirst ? 2 : undefined} title={words('pin.title')}>
      <p className="stage-text">{words('pin.text')}</p>
      <form className="form" noValidate onSubmit={(event) => void submit(event)}>
        <TextField
          label={words('pin.label')}
          type="password"
          autoComplete="off"
          autoFocus
          value={pin}
          error={error}
          onChange={(event) => {
            setPin(event.currentTarget.value)
            setError(undefined)
          }}
        />
        <Button look="main" submit busy={busy} className="button-wide">
          {words(busy ? 'code.checking' : 'pin.button')}
        </Button>
      </form>
      <p className="stage-foot">{words('pin.forgot')}</p>
      <Button look="quiet" onClick={entry.back}>
        {words(entry.isFirst ? 'code.change' : 'number.keep')}
      </Button>
    </Stage>
  )
}

const CODE_OVER: ReadonlySet<string> = new Set([
  'registration-expired',
  'too-many-attempts',
  'no-registration',
])
