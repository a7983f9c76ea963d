import { useEffect, useState } from 'react'
import { contactLink, readCode, type ScannedCode } from '../../app/codes.ts'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { requireCouplet } from '../../app/messenger.ts'
import { nameOf } from '../../app/people.ts'
import { usePhones } from '../../app/phones.ts'
import { go } from '../../app/places.ts'
import { addScanned } from '../../app/trust.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { TextField } from '../../ui/field.tsx'
import { QrCode } from '../../ui/qr-code.tsx'
import { Scanner } from '../../ui/scanner.tsx'
import { copyText, showToast } from '../../ui/toast.tsx'

export function ByCode({ onDone }: { readonly onDone: () => void }) {
  const { words, tag } = useLanguage()
  const phones = usePhones()
  const [isScanning, setScanning] = useState(false)
  const [error, setError] = useState<string>()
  const couplet = requireCouplet()
  const link = contactLink(couplet)

  const take = async (code: ScannedCode) => {
    setScanning(false)
    if (code.kind !== 'contact') return setError(words('new.notCode'))
    if (code.server !== couplet.server) {
      return setError(words('new.otherServer', { server: code.server }))
    }
    if (code.phone === couplet.phone) return setError(words('new.self'))
    try {
      const phone = phones.format(code.phone)
      if ((await addScanned(code)) === 'mismatch') return setError(words('new.mismatch', { phone }))
      const name = nameOf(code.phone)
      showToast(words('new.added', { name: name === code.phone ? phone : name }))
      onDone()
      go({ kind: 'chat', peer: code.phone })
    } catch (failure) {
      setError(sentenceFor(words, failureOf(failure), tag))
    }
  }
  // Somebody came by a link: it is taken once, and leaves the address bar.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once
  useEffect(() => {
    if (!location.hash.startsWith('#add=')) return
    const code = readCode({ text: location.href })
    history.replaceState(history.state, '', location.pathname)
    void take(code)
  }, [])

  return (
    <div className="codes">
      <section className="codes-side">
        <h2>{words('new.mine')}</h2>
        <QrCode content={link} label={words('new.mine.label')} size={176} />
        <p className="field-hint">{words('new.mine.text')}</p>
        <Button icon="copy" onClick={() => void copyText(link, words('common.copied'))}>
          {words('new.link')}
        </Button>
      </section>
      <section className="codes-side">
        <h2>{words('new.scan')}</h2>
        {isScanning ? (
          <Scanner onCode={(code) => void take(code)} />
        ) : (
          <Button
            look="main"
            icon="camera"
            onClick={() => {
              setError(undefined)
              setScanning(true)
            }}
          >
            {words('new.scan')}
          </Button>
        )}
        <TextField
          label={words('new.paste')}
          type="url"
          dir="ltr"
          autoComplete="off"
          error={error}
          onChange={(event) => {
            setError(undefined)
            if (event.currentTarget.value.length > 64) {
              void take(readCode({ text: event.currentTarget.value }))
            }
          }}
        />
      </section>
    </div>
  )
}
