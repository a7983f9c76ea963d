/** All settings on one page, with an index beside it where there is room. Changes hold at once. */
import { type ReactNode, useEffect, useRef } from 'react'
import { requireCouplet, useMessenger } from '../../app/messenger.ts'
import { changeOwnName } from '../../app/people.ts'
import { usePhones } from '../../app/phones.ts'
import { go } from '../../app/places.ts'
import { type Key, useWords } from '../../i18n/index.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { TextField } from '../../ui/field.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { Page } from '../../ui/page.tsx'
import { Account } from './account.tsx'
import { OwnNumber } from './own-number.tsx'
import { Appearance, ChatSettings, Notifications } from './preferences.tsx'
import { DataSettings, Privacy } from './privacy.tsx'
import { WhatTheServerKnows } from './server-knows.tsx'

const SECTIONS = {
  profile: { icon: 'person', words: 'settings.profile', content: Profile },
  appearance: { icon: 'sun', words: 'settings.appearance', content: Appearance },
  notifications: { icon: 'bell', words: 'settings.notifications', content: Notifications },
  chats: { icon: 'pencil', words: 'settings.chats', content: ChatSettings },
  privacy: { icon: 'lock', words: 'settings.privacy', content: Privacy },
  data: { icon: 'data', words: 'settings.data', content: DataSettings },
  server: { icon: 'server', words: 'settings.server', content: WhatTheServerKnows },
  account: { icon: 'info', words: 'settings.account', content: Account },
} as const satisfies Record<
  string,
  { readonly icon: IconName; readonly words: Key; readonly content: () => ReactNode }
>

export function Settings({ section }: { readonly section: string | undefined }) {
  const words = useWords()
  const page = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (section) document.getElementById(`settings-${section}`)?.scrollIntoView()
  }, [section])
  return (
    <Page title={words('settings.title')}>
      <div className="settings" ref={page}>
        <nav className="settings-index" aria-label={words('settings.sections')}>
          <ul>
            {Object.entries(SECTIONS).map(([id, { icon, words: key }]) => (
              <li key={id}>
                <button
                  type="button"
                  className="settings-link"
                  aria-current={section === id ? 'true' : undefined}
                  onClick={() => go({ kind: 'settings', section: id }, { replace: true })}
                >
                  <Icon name={icon} size={18} />
                  {words(key)}
                </button>
              </li>
            ))}
          </ul>
        </nav>
        <div className="settings-sections">
          {Object.entries(SECTIONS).map(([id, { words: key, content: Content }]) => (
            <section key={id} id={`settings-${id}`} className="settings-section">
              <h2>{words(key)}</h2>
              <Content />
            </section>
          ))}
        </div>
      </div>
    </Page>
  )
}

function Profile() {
  const words = useWords()
  const phones = usePhones()
  const ownName = useMessenger((state) => state.ownName)
  const { phone, identityId } = requireCouplet()
  return (
    <>
      <div className="profile">
        <Avatar phone={phone} name={ownName.trim() || undefined} size={64} />
        <div>
          <p className="profile-number" dir="ltr">
            {phones.format(phone)}
          </p>
          <p className="field-hint">
            {words('settings.profile.key')}: <code>{identityId.slice(0, 16)}…</code>
          </p>
        </div>
      </div>
      <TextField
        label={words('settings.profile.name')}
        hint={words('settings.profile.name.hint')}
        value={ownName}
        maxLength={80}
        dir="auto"
        autoComplete="name"
        onChange={(event) => void changeOwnName(event.currentTarget.value)}
      />
      <OwnNumber />
    </>
  )
}
