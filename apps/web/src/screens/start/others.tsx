/** The start screens of the less happy days. */
import { type FormEvent, useState } from 'react'
import { type Failure, failureOf, sentenceFor } from '../../app/failures.ts'
import { usePhones } from '../../app/phones.ts'
import { askForCode, changeNumber, forgetEverything, takeOver, unlock } from '../../app/session.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { Stage } from '../../ui/stage.tsx'
import { RestoreLink } from './restore-link.tsx'

/** Nothing to see for the first moments, and then that it takes its time. */
export function Starting() {
  const words = useWords()
  return (
    <main className="starting">
      <h1 className="visually-hidden">{words('app.name')}</h1>
      <p className="spinner-late" role="status">
        <span className="spinner" aria-hidden="true" />
        {words('common.loading')}
      </p>
    </main>
  )
}

export function OtherTab() {
  const words = useWords()
  return (
    <Stage title={words('tab.title')}>
      <p className="stage-text">{words('tab.text')}</p>
      <Button look="main" className="button-wide" onClick={() => void takeOver()}>
        {words('tab.use')}
      </Button>
    </Stage>
  )
}

export function Locked() {
  const words = useWords()
  const { tag } = useLanguage()
  const [passphrase, setPassphrase] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const [isRemoving, setRemoving] = useState(false)

  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    setBusy(true)
    setError(undefined)
    try {
      await unlock(passphrase)
    } catch (thrown) {
      const failure = failureOf(thrown)
      const isWrong = failure.code === 'wrong-passphrase'
      setError(isWrong ? words('locked.wrong') : sentenceFor(words, failure, tag))
      setBusy(false)
    }
  }
  return (
    <Stage title={words('locked.title')}>
      <p className="stage-text">{words('locked.text')}</p>
      <form className="form" onSubmit={(event) => void submit(event)}>
        <TextField
          label={words('locked.passphrase')}
          type="password"
          autoComplete="current-password"
          autoFocus
          value={passphrase}
          error={error}
          onChange={(event) => setPassphrase(event.currentTarget.value)}
        />
        <Button look="main" submit busy={busy} className="button-wide">
          {busy ? words('locked.opening') : words('locked.open')}
        </Button>
      </form>
      <p className="stage-foot">{words('locked.forgot')}</p>
      <Button look="quiet" onClick={() => setRemoving(true)}>
        {words('locked.remove')}
      </Button>
      <Confirm
        title={words('locked.remove')}
        text={words('locked.forgot')}
        action={words('common.delete')}
        danger
        open={isRemoving}
        onClose={() => setRemoving(false)}
        onConfirm={() => void forgetEverything()}
      />
    </Stage>
  )
}

export function Lost({ phone }: { readonly phone: string }) {
  const words = useWords()
  const { tag } = useLanguage()
  const phones = usePhones()
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  const again = async () => {
    if (busy) return
    setBusy(true)
    try {
      await askForCode(phone)
    } catch (failure) {
      setError(sentenceFor(words, failureOf(failure), tag))
      setBusy(false)
    }
  }
  return (
    <Stage title={words('lost.title', { phone: phones.format(phone) })}>
      <p className="stage-text">{words('lost.text')}</p>
      <div className="form">
        <RestoreLink main />
        <Button busy={busy} className="button-wide" onClick={() => void again()}>
          {busy ? words('welcome.sending') : words('lost.again')}
        </Button>
        <p className="field-hint">{words('lost.again.text')}</p>
        {error && (
          <p className="field-error" role="alert">
            {error}
          </p>
        )}
      </div>
      <Button look="quiet" onClick={changeNumber}>
        {words('lost.other')}
      </Button>
    </Stage>
  )
}

export function Broken({ failure }: { readonly failure: Failure }) {
  const words = useWords()
  const isStorage = failure.code === 'QuotaExceededError'
  return (
    <Stage title={words('broken.title')}>
      <p className="stage-text">{words(isStorage ? 'broken.storage' : 'broken.text')}</p>
      <p className="stage-foot">
        <code>{failure.code}</code>
      </p>
      <Button look="main" className="button-wide" onClick={() => location.reload()}>
        {words('broken.reload')}
      </Button>
    </Stage>
  )
}
