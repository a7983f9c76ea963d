/** The passphrase of the file that the account moves in. */
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { moveOut } from '../../app/moving.ts'
import { useLanguage } from '../../i18n/index.ts'
import { LEAST_PASSPHRASE, NewSecretForm } from '../../ui/new-secret.tsx'
import { showToast } from '../../ui/toast.tsx'

export function MoveOutForm() {
  const { words, tag } = useLanguage()
  const begin = (passphrase: string) => {
    // This form is gone when it fails: the page around it was shown anew meanwhile.
    moveOut(passphrase).catch((failure: unknown) =>
      showToast(sentenceFor(words, failureOf(failure), tag), 'failure'),
    )
    return undefined
  }
  return (
    <NewSecretForm
      label={words('moving.passphrase')}
      leastLength={LEAST_PASSPHRASE}
      tooShort={words('settings.passphrase.short')}
      action={words('settings.export.button')}
      onSubmit={begin}
      isAtEnd
    />
  )
}
