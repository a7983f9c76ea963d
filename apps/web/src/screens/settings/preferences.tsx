/** How the client looks, speaks, and makes itself heard. */
import { useState } from 'react'
import { requireCouplet, useMessenger } from '../../app/messenger.ts'
import { changeSettings } from '../../app/people.ts'
import { type Preferences, usePreferences } from '../../app/preferences.ts'
import { LANGUAGES, useLanguage, useWords } from '../../i18n/index.ts'
import { duration } from '../../i18n/time.ts'
import { webPlatform } from '../../platform/index.ts'
import { Switch } from '../../ui/field.tsx'
import { TIMES } from '../chat/times.ts'
import { Choice } from './choice.tsx'

export function Appearance() {
  const words = useWords()
  const { theme, language, change } = usePreferences()
  return (
    <>
      <Choice
        label={words('settings.theme')}
        value={theme}
        options={(['system', 'light', 'dark'] as const).map((value) => ({
          value,
          words: words(`settings.theme.${value}`),
        }))}
        onChange={(value) => change({ theme: value as Preferences['theme'] })}
      />
      <Choice
        label={words('settings.language')}
        value={language}
        options={[
          { value: 'system', words: words('settings.language.system') },
          ...LANGUAGES.map(({ tag, name }) => ({ value: tag, words: name })),
        ]}
        onChange={(value) => change({ language: value })}
      />
    </>
  )
}

export function Notifications() {
  const words = useWords()
  const { notify, change } = usePreferences()
  const { notices, push } = webPlatform
  const [permission, setPermission] = useState(notices?.permission ?? 'unsupported')
  const [isPushOn, setPushOn] = useState<boolean>()
  if (push && isPushOn === undefined) void push.isOn().then(setPushOn, () => setPushOn(false))

  if (!notices || permission === 'unsupported') {
    return <p className="page-text">{words('settings.notify.unsupported')}</p>
  }
  const toggle = async (on: boolean) => {
    const isAllowed = !on || (await notices.request())
    setPermission(notices.permission)
    change({ notify: on && isAllowed })
  }
  const togglePush = async (on: boolean) => {
    const couplet = requireCouplet()
    if (on) setPushOn((await push?.switchOn(couplet)) ?? false)
    else {
      await push?.switchOff(couplet)
      setPushOn(false)
    }
  }
  return (
    <>
      <Switch
        label={words('settings.notify')}
        hint={words('settings.notify.hint')}
        on={notify && permission === 'granted'}
        onChange={(on) => void toggle(on)}
      />
      {permission === 'denied' && <p className="note">{words('settings.notify.denied')}</p>}
      {push && (
        <Switch
          label={words('settings.push')}
          hint={words('settings.push.hint')}
          on={isPushOn ?? false}
          disabled={permission !== 'granted'}
          onChange={(on) => void togglePush(on)}
        />
      )}
    </>
  )
}

export function ChatSettings() {
  const { words, tag } = useLanguage()
  const { enterSends, change } = usePreferences()
  const expiresAfterMs = useMessenger((state) => state.settings.expiresAfterMs)
  return (
    <>
      <Switch
        label={words('settings.enter')}
        hint={words('settings.enter.hint')}
        on={enterSends}
        onChange={(on) => change({ enterSends: on })}
      />
      <Choice
        label={words('settings.timer')}
        hint={words('settings.timer.hint')}
        value={String(expiresAfterMs)}
        options={[0, ...TIMES].map((ms) => ({
          value: String(ms),
          words: ms === 0 ? words('timer.off') : duration(ms, tag),
        }))}
        onChange={(value) => void changeSettings({ expiresAfterMs: Number(value) })}
      />
    </>
  )
}
