/** Registered: what is worth doing now, none of which is asked for. */
import { useState } from 'react'
import { install, useInstall } from '../../app/install.ts'
import { usePhones } from '../../app/phones.ts'
import { finishSetUp } from '../../app/session.ts'
import { useWords } from '../../i18n/index.ts'
import { webPlatform } from '../../platform/index.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { Stage } from '../../ui/stage.tsx'
import { PassphraseForm } from '../settings/passphrase.tsx'

export function Done({ phone, replaced }: { readonly phone: string; readonly replaced: boolean }) {
  const words = useWords()
  const phones = usePhones()
  const canInstall = useInstall((state) => state.way === 'prompt')
  const [kept, setKept] = useState<boolean>()
  const [isSetting, setSetting] = useState(false)
  const [isProtected, setProtected] = useState(false)

  return (
    <Stage step={3} title={words('done.title')}>
      <p className="stage-text">{words('done.text', { phone: phones.format(phone) })}</p>
      {replaced && <p className="note">{words('done.replaced')}</p>}
      <ul className="offers">
        <li className="offer">
          <Icon name="data" />
          <div>
            <h2>{words('done.keep.title')}</h2>
            <p role="status">
              {kept === undefined
                ? words('done.keep.text')
                : words(kept ? 'done.keep.yes' : 'done.keep.no')}
            </p>
          </div>
          {kept === undefined && (
            <Button
              onClick={() =>
                void webPlatform.home.requestPersistence().then(setKept, () => setKept(false))
              }
            >
              {words('done.keep.button')}
            </Button>
          )}
        </li>
        {canInstall && (
          <li className="offer">
            <Icon name="plus" />
            <div>
              <h2>{words('install.title')}</h2>
              <p>{words('install.text')}</p>
            </div>
            <Button onClick={() => void install()}>{words('install.button')}</Button>
          </li>
        )}
        {webPlatform.home.changePassphrase && (
          <li className="offer">
            <Icon name="lock" />
            <div>
              <h2>{words('done.passphrase.title')}</h2>
              <p role="status">
                {isProtected ? words('settings.passphrase.set') : words('done.passphrase.text')}
              </p>
              {isSetting && !isProtected && (
                <PassphraseForm
                  hasOne={false}
                  onDone={() => {
                    setProtected(true)
                    setSetting(false)
                  }}
                />
              )}
            </div>
            {!isSetting && !isProtected && (
              <Button onClick={() => setSetting(true)}>{words('done.passphrase.button')}</Button>
            )}
          </li>
        )}
      </ul>
      <Button look="main" className="button-wide" onClick={() => void finishSetUp()}>
        {words('done.start')}
      </Button>
    </Stage>
  )
}
