/** About the program, and leaving it. */
import { type FormEvent, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet } from '../../app/messenger.ts'
import { forgetEverything } from '../../app/session.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'

export function Account() {
  const { words } = useLanguage()
  const [isOpen, setOpen] = useState(false)
  return (
    <>
      <p className="page-text">{words('settings.about.text')}</p>
      <div className="choice-row">
        <div>
          <span className="switch-label">{words('settings.delete')}</span>
          <span className="field-hint">{words('settings.delete.text')}</span>
        </div>
        <Button look="danger" onClick={() => setOpen(true)}>
          {words('settings.delete')}
        </Button>
      </div>
      <Dialog title={words('settings.delete')} open={isOpen} onClose={() => setOpen(false)}>
        <DeleteForm />
      </Dialog>
    </>
  )
}

function DeleteForm() {
  const { words, tag } = useLanguage()
  const [typed, setTyped] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)
  const word = words('settings.delete.word')
  const submit = async (event: FormEvent) => {
    event.preventDefault()
    if (busy) return
    if (typed.trim() !== word) return setError(words('settings.delete.confirm', { word }))
    setBusy(true)
    try {
      await requireCouplet().deleteAccount()
      await forgetEverything()
    } catch (failure) {
      setError(sentenceFor(words, failureOf(failure), tag))
      setBusy(false)
    }
  }
  return (
    <form className="form" onSubmit={(event) => void submit(event)}>
      <p className="dialog-text">{words('settings.delete.text')}</p>
      <TextField
        label={words('settings.delete.confirm', { word })}
        value={typed}
        error={error}
        autoComplete="off"
        onChange={(event) => {
          setTyped(event.currentTarget.value)
          setError(undefined)
        }}
      />
      <div className="buttons buttons-end">
        <Button look="danger" submit busy={busy}>
          {words('settings.delete.button')}
        </Button>
      </div>
    </form>
  )
}
