/** Setting, changing and taking away the passphrase. */
import { useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { changePassphrase } from '../../app/session.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { LEAST_PASSPHRASE, NewSecretForm } from '../../ui/new-secret.tsx'
import { showToast } from '../../ui/toast.tsx'

export function PassphraseForm({
  hasOne,
  onDone,
}: {
  readonly hasOne: boolean
  readonly onDone: (isSet: boolean) => void
}) {
  const { words, tag } = useLanguage()
  const [before, setBefore] = useState('')

  const change = async (wanted: string | undefined): Promise<string | undefined> => {
    try {
      await changePassphrase(hasOne ? before : undefined, wanted)
      onDone(wanted !== undefined)
      return undefined
    } catch (thrown) {
      const failure = failureOf(thrown)
      const isWrong = failure.code === 'wrong-passphrase'
      const sentence = isWrong ? words('locked.wrong') : sentenceFor(words, failure, tag)
      // The page around this form may have been shown anew meanwhile.
      showToast(sentence, 'failure')
      return sentence
    }
  }
  return (
    <NewSecretForm
      label={words('settings.passphrase.new')}
      leastLength={LEAST_PASSPHRASE}
      tooShort={words('settings.passphrase.short')}
      action={words(hasOne ? 'settings.passphrase.change' : 'settings.passphrase.add')}
      onSubmit={change}
      before={
        hasOne && (
          <TextField
            label={words('settings.passphrase.old')}
            type="password"
            autoComplete="current-password"
            value={before}
            onChange={(event) => setBefore(event.currentTarget.value)}
          />
        )
      }
      more={
        hasOne && (
          <Button onClick={() => void change(undefined)}>
            {words('settings.passphrase.remove')}
          </Button>
        )
      }
    />
  )
}
