/** The PIN that somebody needs who would register this number anew, with a code that was intercepted. */
import { type AccountInfo, MIN_PIN_CHARACTERS } from '@couplet/wire'
import { useCallback, useEffect, useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet } from '../../app/messenger.ts'
import { useLanguage } from '../../i18n/index.ts'
import { fullTime } from '../../i18n/time.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { NewSecretForm } from '../../ui/new-secret.tsx'
import { showToast } from '../../ui/toast.tsx'

export function RegistrationLock() {
  const { words, tag } = useLanguage()
  const [account, setAccount] = useState<AccountInfo | 'failed'>()
  const [isOpen, setOpen] = useState(false)
  const ask = useCallback(() => {
    requireCouplet()
      .account()
      .then(setAccount, () => setAccount('failed'))
  }, [])
  useEffect(ask, [ask])

  const change = async (pin: string | undefined): Promise<string | undefined> => {
    try {
      await requireCouplet().lockRegistration(pin)
    } catch (failure) {
      return sentenceFor(words, failureOf(failure), tag)
    }
    setOpen(false)
    showToast(words(pin === undefined ? 'settings.lock.removed' : 'settings.lock.done'))
    ask()
    return undefined
  }
  const remove = async () => {
    const failure = await change(undefined)
    if (failure) showToast(failure, 'failure')
  }

  const lock = typeof account === 'object' ? account.lock : undefined
  const state = account === 'failed' ? 'failed' : lock ? 'on' : 'off'
  return (
    <>
      <div className="choice-row">
        <div>
          <span className="switch-label">{words('settings.lock')}</span>
          <span className="field-hint" role="status">
            {words(`settings.lock.${state}`)}
          </span>
        </div>
        {account === 'failed' ? (
          <Button onClick={ask}>{words('common.retry')}</Button>
        ) : (
          <Button aria-disabled={account === undefined || undefined} onClick={() => setOpen(true)}>
            {words(lock ? 'settings.lock.change' : 'settings.lock.add')}
          </Button>
        )}
      </div>
      {lock && lock.failures > 0 && (
        <p className="note note-bad" role="alert">
          {words('settings.lock.failures', {
            count: lock.failures,
            time: fullTime(lock.failedAt ?? Date.now(), tag),
          })}
        </p>
      )}
      <Dialog title={words('settings.lock')} open={isOpen} onClose={() => setOpen(false)}>
        <p className="dialog-text">{words('settings.lock.text')}</p>
        <NewSecretForm
          label={words('settings.lock.pin')}
          leastLength={MIN_PIN_CHARACTERS}
          tooShort={words('settings.lock.short')}
          action={words(lock ? 'settings.lock.change' : 'settings.lock.add')}
          onSubmit={change}
          more={
            lock && <Button onClick={() => void remove()}>{words('settings.lock.remove')}</Button>
          }
        />
      </Dialog>
    </>
  )
}
