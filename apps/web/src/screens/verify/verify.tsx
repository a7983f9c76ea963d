/** Comparing keys with one person: both codes, both numbers, a clear yes or no. */
import type { SafetyNumber } from '@couplet/client'
import { useCallback, useEffect, useState } from 'react'
import type { ScannedCode } from '../../app/codes.ts'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet, useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { goBack } from '../../app/places.ts'
import { judgeScan, markCompared, unmark } from '../../app/trust.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { QrCode } from '../../ui/qr-code.tsx'
import { Scanner } from '../../ui/scanner.tsx'
import { copyText, showToast } from '../../ui/toast.tsx'
import { Mismatch } from './mismatch.tsx'
import { PasteToCompare } from './paste.tsx'

export function Verify({ peer }: { readonly peer: string }) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(peer)
  const contact = useMessenger((state) => state.contacts.get(peer))
  const [number, setNumber] = useState<SafetyNumber>()
  const [error, setError] = useState<string>()
  const [isScanning, setScanning] = useState(false)
  const [isMismatch, setMismatch] = useState(false)

  const load = useCallback(async () => {
    setError(undefined)
    try {
      setNumber(await requireCouplet().verify(peer))
    } catch (failure) {
      setError(sentenceFor(words, failureOf(failure), tag))
    }
  }, [peer, words, tag])
  // biome-ignore lint/correctness/useExhaustiveDependencies: again when the key is another one
  useEffect(() => {
    void load()
  }, [load, contact?.changedKey?.identityId, contact?.identityId])

  const guard = async (work: () => Promise<void>) => {
    try {
      await work()
      await load()
    } catch (failure) {
      showToast(sentenceFor(words, failureOf(failure), tag), 'failure')
      await load()
    }
  }
  const scanned = (code: ScannedCode) =>
    void guard(async () => {
      setScanning(false)
      const verdict = number ? await judgeScan(number, code) : 'not-a-code'
      if (verdict === 'mismatch') setMismatch(true)
      else if (verdict === 'match') showToast(words('verify.is', { name }))
      else showToast(words('scan.wrong'), 'failure')
    })

  if (isMismatch) {
    return <Mismatch name={name} onAgain={() => setMismatch(false)} onBack={goBack} />
  }
  return (
    <Page title={words('verify.title', { name })}>
      {error && (
        <div className="note note-bad" role="alert">
          <p>{error}</p>
          <Button onClick={() => void load()}>{words('common.retry')}</Button>
        </div>
      )}
      {!number && !error && (
        <p className="page-text spinner-late" role="status">
          {words('verify.loading')}
        </p>
      )}
      {number && (
        <>
          {number.verified ? (
            <div className="verdict" role="status">
              <Icon name="shieldCheck" size={28} />
              <div>
                <h2>{words('verify.is', { name })}</h2>
                <p>{words('verify.is.text')}</p>
              </div>
            </div>
          ) : (
            <p className="page-text">{words('verify.text', { name })}</p>
          )}
          <div className="verify">
            <Code number={number} name={name} />
            <div className="verify-numbers">
              <Digits digits={number.digits} />
              <div className="buttons">
                <Button
                  icon="copy"
                  onClick={() => void copyText(grouped(number.digits), words('common.copied'))}
                >
                  {words('common.copy')}
                </Button>
              </div>
              <PasteToCompare digits={number.digits} onMismatch={() => setMismatch(true)} />
            </div>
          </div>
          <div className="buttons verify-buttons">
            <Button look="main" icon="camera" onClick={() => setScanning(true)}>
              {words('verify.scan')}
            </Button>
            {number.verified ? (
              <Button look="quiet" onClick={() => void guard(() => unmark(peer))}>
                {words('verify.unmark')}
              </Button>
            ) : (
              <>
                <Button icon="check" onClick={() => void guard(() => markCompared(number))}>
                  {words('verify.mark')}
                </Button>
                <Button look="danger" onClick={() => setMismatch(true)}>
                  {words('mismatch.title')}
                </Button>
              </>
            )}
          </div>
        </>
      )}
      <Dialog title={words('verify.scan')} open={isScanning} onClose={() => setScanning(false)}>
        <Scanner onCode={scanned} />
      </Dialog>
    </Page>
  )
}

function Code({ number, name }: { readonly number: SafetyNumber; readonly name: string }) {
  const { words } = useLanguage()
  return (
    <div className="verify-code">
      <QrCode content={number.code} label={words('verify.code', { name })} />
    </div>
  )
}

/** Twelve groups of five, read by rows. */
function Digits({ digits }: { readonly digits: string }) {
  const { words } = useLanguage()
  return (
    <ol className="digits" dir="ltr" aria-label={words('verify.digits')} data-testid="digits">
      {grouped(digits)
        .split(' ')
        .map((group, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: their place is what they are
          <li key={index}>{group}</li>
        ))}
    </ol>
  )
}

function grouped(digits: string): string {
  return digits.match(/.{5}/g)!.join(' ')
}
