/** Who may reach one, what others are told, and what lies in this browser. */
import { useEffect, useState } from 'react'
import { install, useInstall } from '../../app/install.ts'
import { useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { block, changeSettings } from '../../app/people.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { webPlatform } from '../../platform/index.ts'
import { Button } from '../../ui/button.tsx'
import { Dialog } from '../../ui/dialog.tsx'
import { Switch } from '../../ui/field.tsx'
import { showToast } from '../../ui/toast.tsx'
import { MoveOutForm } from './move-out-form.tsx'
import { PassphraseForm } from './passphrase.tsx'
import { RegistrationLock } from './registration-lock.tsx'

export function Privacy() {
  const words = useWords()
  const settings = useMessenger((state) => state.settings)
  return (
    <>
      <Switch
        label={words('settings.receipts')}
        hint={words('settings.receipts.hint')}
        on={settings.receipts}
        onChange={(receipts) => void changeSettings({ receipts })}
      />
      <Switch
        label={words('settings.strangers')}
        hint={words('settings.strangers.hint')}
        on={settings.strangers === 'ask'}
        onChange={(ask) => void changeSettings({ strangers: ask ? 'ask' : 'accept' })}
      />
      {webPlatform.home.changePassphrase && <Passphrase />}
      <RegistrationLock />
      <Blocked />
    </>
  )
}

function Passphrase() {
  const words = useWords()
  const [hasOne, setHasOne] = useState<boolean>()
  const [isOpen, setOpen] = useState(false)
  useEffect(() => {
    const read = async () => {
      const state = await webPlatform.home.homeState()
      setHasOne(
        state.kind === 'locked' ||
          (state.kind === 'registered' && state.protection === 'passphrase'),
      )
    }
    read().catch(() => setHasOne(false))
  }, [])
  if (hasOne === undefined) return null
  return (
    <div className="choice-row">
      <div>
        <span className="switch-label">{words('settings.passphrase')}</span>
        <span className="field-hint">
          {words(hasOne ? 'settings.passphrase.set' : 'settings.passphrase.none')}
        </span>
      </div>
      <Button onClick={() => setOpen(true)}>
        {words(hasOne ? 'settings.passphrase.change' : 'settings.passphrase.add')}
      </Button>
      <Dialog title={words('settings.passphrase')} open={isOpen} onClose={() => setOpen(false)}>
        <PassphraseForm
          hasOne={hasOne}
          onDone={(isSet) => {
            setHasOne(isSet)
            setOpen(false)
            showToast(words('settings.passphrase.done'))
          }}
        />
      </Dialog>
    </div>
  )
}

function Blocked() {
  const words = useWords()
  const contacts = useMessenger((state) => state.contacts)
  const blocked = [...contacts.values()].filter((contact) => contact.blocked)
  return (
    <div>
      <h3 className="switch-label">{words('settings.blocked')}</h3>
      {blocked.length === 0 ? (
        <p className="field-hint">{words('settings.blocked.none')}</p>
      ) : (
        <ul className="plain-list">
          {blocked.map(({ phone }) => (
            <BlockedRow key={phone} phone={phone} />
          ))}
        </ul>
      )}
    </div>
  )
}

function BlockedRow({ phone }: { readonly phone: string }) {
  const words = useWords()
  const { name } = useCalled(phone)
  return (
    <li>
      <bdi>{name}</bdi>
      <Button onClick={() => void block(phone, false)}>{words('chat.unblock')}</Button>
    </li>
  )
}

export function DataSettings() {
  const { words, tag } = useLanguage()
  const [used, setUsed] = useState<number>()
  const [isPersisted, setPersisted] = useState<boolean>()
  useEffect(() => {
    void navigator.storage?.estimate().then(({ usage }) => setUsed(usage))
    void navigator.storage?.persisted().then(setPersisted)
  }, [])
  const keep = async () => setPersisted(await webPlatform.home.requestPersistence())
  return (
    <>
      <div className="choice-row">
        <div>
          <span className="switch-label">{words('settings.persist')}</span>
          <span className="field-hint" role="status">
            {words(isPersisted ? 'settings.persist.yes' : 'settings.persist.no')}{' '}
            {used !== undefined && words('settings.data.used', { size: bytes(used, tag) })}
          </span>
        </div>
        {!isPersisted && (
          <Button onClick={() => void keep()}>{words('settings.persist.ask')}</Button>
        )}
      </div>
      <Install />
      <Export />
    </>
  )
}

function Install() {
  const words = useWords()
  const way = useInstall((state) => state.way)
  if (way === 'none') return null
  return (
    <div className="choice-row">
      <div>
        <span className="switch-label">{words('install.title')}</span>
        <span className="field-hint">
          {words(way === 'prompt' ? 'install.text' : 'install.later')}
        </span>
      </div>
      {way === 'prompt' && (
        <Button onClick={() => void install()}>{words('install.button')}</Button>
      )}
    </div>
  )
}

function Export() {
  const words = useWords()
  const [isOpen, setOpen] = useState(false)
  return (
    <div className="choice-row">
      <div>
        <span className="switch-label">{words('settings.export')}</span>
        <span className="field-hint">{words('settings.export.text')}</span>
      </div>
      <Button onClick={() => setOpen(true)}>{words('settings.export.button')}</Button>
      <Dialog title={words('settings.export')} open={isOpen} onClose={() => setOpen(false)}>
        <p className="dialog-text">{words('settings.export.text')}</p>
        <MoveOutForm />
      </Dialog>
    </div>
  )
}

function bytes(count: number, tag: string): string {
  const isLarge = count >= 1_000_000
  return new Intl.NumberFormat(tag, {
    style: 'unit',
    unit: isLarge ? 'megabyte' : 'kilobyte',
    maximumFractionDigits: isLarge ? 1 : 0,
  }).format(count / (isLarge ? 1_000_000 : 1000))
}
