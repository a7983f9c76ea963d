/** Taking up the account of a file. */
import { type ChangeEvent, useRef, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { restoreFrom } from '../../app/moving.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'

export function Restore({ main }: { readonly main: boolean }) {
  const words = useWords()
  const { tag } = useLanguage()
  const input = useRef<HTMLInputElement>(null)
  const [file, setFile] = useState<File>()
  const [passphrase, setPassphrase] = useState('')
  const [error, setError] = useState<string>()
  const [busy, setBusy] = useState(false)

  const choose = (event: ChangeEvent<HTMLInputElement>) => {
    setFile(event.currentTarget.files?.[0])
    event.currentTarget.value = ''
  }
  const restore = async () => {
    if (!file || busy) return
    setBusy(true)
    setError(undefined)
    try {
      await restoreFrom(file, passphrase)
    } catch (failure) {
      const { code } = failureOf(failure)
      setError(
        code === 'wrong-passphrase'
          ? words('locked.wrong')
          : sentenceFor(words, failureOf(failure), tag),
      )
      setBusy(false)
    }
  }

  return (
    <>
      <Button
        look={main ? 'main' : 'quiet'}
        icon="data"
        className={main ? 'button-wide' : ''}
        onClick={() => input.current?.click()}
      >
        {words('welcome.restore')}
      </Button>
      <input
        ref={input}
        type="file"
        hidden
        aria-label={words('welcome.restore')}
        onChange={choose}
      />
      <Dialog
        title={words('welcome.restore')}
        open={file !== undefined}
        onClose={() => setFile(undefined)}
      >
        <form
          className="form"
          onSubmit={(event) => {
            event.preventDefault()
            void restore()
          }}
        >
          <p className="dialog-text" dir="auto">
            {file?.name}
          </p>
          <TextField
            label={words('locked.passphrase')}
            type="password"
            autoComplete="off"
            value={passphrase}
            error={error}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
          />
          <div className="buttons buttons-end">
            <Button look="main" submit busy={busy}>
              {words('welcome.restore')}
            </Button>
          </div>
        </form>
      </Dialog>
    </>
  )
}
