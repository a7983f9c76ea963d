/** Six digits: typed, pasted, or filled in by the phone. Sent off by themselves when they are six. */
import type { PendingRegistration } from '@couplet/client'
import { type FormEvent, useEffect, useRef, useState } from 'react'
import { type Failure, failureOf, sentenceFor } from '../../app/failures.ts'
import { usePhones } from '../../app/phones.ts'
import type { CodeEntry } from '../../app/session.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { countdown } from '../../i18n/time.ts'
import { Button } from '../../ui/button.tsx'
import { Stage } from '../../ui/stage.tsx'
import { showToast } from '../../ui/toast.tsx'
import { Pin } from './pin.tsx'

export function Code({
  pending,
  askedAt,
  entry,
}: {
  readonly pending: PendingRegistration
  readonly askedAt: number
  readonly entry: CodeEntry
}) {
  const words = useWords()
  const { tag } = useLanguage()
  const phones = usePhones()
  const [code, setCode] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [waitMs, setWaitMs] = useState(RESEND_AFTER_MS)
  /** The code was right, and the number has a PIN as well. */
  const [locked, setLocked] = useState<{ readonly code: string; readonly failure: Failure }>()
  const input = useRef<HTMLInputElement>(null)

  useEffect(() => input.current?.focus(), [])
  useEffect(() => {
    const tick = () => setWaitMs(askedAt + RESEND_AFTER_MS - Date.now())
    tick()
    const timer = setInterval(tick, 500)
    return () => clearInterval(timer)
  }, [askedAt])

  const explain = (thrown: unknown) => {
    const failure = failureOf(thrown)
    if (failure.code !== 'wrong-code') return sentenceFor(words, failure, tag)
    return failure.triesLeft === undefined
      ? words('code.wrong.plain')
      : words('code.wrong', { count: failure.triesLeft })
  }
  const check = async (digits: string) => {
    if (busy || digits.length !== DIGITS) return
    setBusy(true)
    setError(undefined)
    try {
      await entry.submit(digits)
    } catch (failure) {
      const why = failureOf(failure)
      if (why.code === 'registration-locked') return setLocked({ code: digits, failure: why })
      setError(explain(failure))
      setCode('')
      setBusy(false)
      input.current?.focus()
    }
  }
  const change = (text: string) => {
    const digits = text.replaceAll(/\D/g, '').slice(0, DIGITS)
    setCode(digits)
    if (digits) setError(undefined)
    void check(digits)
  }
  const resend = async () => {
    try {
      await entry.resend()
      showToast(words('code.resent'))
    } catch (failure) {
      setError(explain(failure))
    }
  }

  if (locked) {
    return (
      <Pin
        {...locked}
        entry={entry}
        onCodeOver={(failure) => {
          setLocked(undefined)
          setCode('')
          setBusy(false)
          setError(sentenceFor(words, failure, tag))
        }}
      />
    )
  }
  return (
    <Stage step={entry.isFirst ? 2 : undefined} title={words('code.title')}>
      <p className="stage-text">
        <bdi>{words('code.sent', { phone: phones.format(pending.phone) })}</bdi>{' '}
        <button type="button" className="link" onClick={entry.back}>
          {words(entry.isFirst ? 'code.change' : 'number.keep')}
        </button>
      </p>
      {pending.development && <p className="note">{words('code.development')}</p>}
      <form
        className="form"
        noValidate
        onSubmit={(event: FormEvent) => {
          event.preventDefault()
          void check(code)
        }}
      >
        <div className="field">
          <label className="field-label" htmlFor="code">
            {words('code.label')}
          </label>
          <div className={`code ${error ? 'code-wrong' : ''}`} dir="ltr">
            <div className="code-boxes" aria-hidden="true">
              {Array.from({ length: DIGITS }, (_, index) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: six boxes, for ever
                <span key={index} className={index === code.length ? 'code-next' : ''}>
                  {code[index] ?? ''}
                </span>
              ))}
            </div>
            <input
              ref={input}
              id="code"
              className="code-input"
              inputMode="numeric"
              autoComplete="one-time-code"
              value={code}
              readOnly={busy}
              aria-invalid={error ? true : undefined}
              aria-describedby={error ? 'code-error' : undefined}
              onChange={(event) => change(event.currentTarget.value)}
            />
          </div>
          {error && (
            <p className="field-error" id="code-error" role="alert">
              {error}
            </p>
          )}
        </div>
        <p className="stage-text" role="status">
          {busy ? words('code.checking') : ''}
        </p>
      </form>
      {waitMs > 0 ? (
        <p className="stage-foot">{words('code.resend.in', { time: countdown(waitMs) })}</p>
      ) : (
        <Button look="quiet" onClick={() => void resend()}>
          {words('code.resend')}
        </Button>
      )}
    </Stage>
  )
}

const DIGITS = 6
/** The server's own pause before another code for the same number. */
const RESEND_AFTER_MS = 60_000
