/** The whole client: which screen is shown, in which language and theme. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { usePreferences } from './app/preferences.ts'
import { type Phase, registrationCode, useSession } from './app/session.ts'
import {
  english,
  type Language,
  LanguageContext,
  loadLanguage,
  preferredLanguage,
} from './i18n/index.ts'
import { Messages } from './screens/messages.tsx'
import { Code } from './screens/start/code.tsx'
import { Broken, Locked, Lost, OtherTab, Starting } from './screens/start/others.tsx'
import { Welcome } from './screens/start/welcome.tsx'
import { Toasts } from './ui/toast.tsx'

const Done = lazy(async () => ({ default: (await import('./screens/start/done.tsx')).Done }))
const MovingOutScreen = lazy(async () => ({ default: (await loadMoving()).MovingOutScreen }))
const Moved = lazy(async () => ({ default: (await loadMoving()).Moved }))
const Unfinished = lazy(async () => ({ default: (await loadMoving()).Unfinished }))
const NewNumberCode = lazy(async () => ({ default: (await loadNumber()).NewNumberCode }))
const NumberChanged = lazy(async () => ({ default: (await loadNumber()).NumberChanged }))
const loadNumber = () => import('./screens/start/new-number.tsx')
const loadMoving = () => import('./screens/start/moving.tsx')

export function App() {
  const language = useChosenLanguage()
  useTheme()
  const phase = useSession((state) => state.phase)
  return (
    <LanguageContext value={language}>
      <Suspense fallback={<Starting />}>
        <Screen phase={phase} />
      </Suspense>
      <Toasts />
    </LanguageContext>
  )
}

function Screen({ phase }: { readonly phase: Phase }) {
  switch (phase.kind) {
    case 'starting':
      return <Starting />
    case 'other-tab':
      return <OtherTab />
    case 'locked':
      return <Locked />
    case 'lost':
      return <Lost phone={phase.phone} />
    case 'welcome':
      return <Welcome />
    case 'code':
      return (
        <Code
          pending={phase.pending}
          askedAt={phase.askedAt}
          entry={registrationCode(phase.pending, phase.invitation)}
        />
      )
    case 'done':
      return <Done phone={phase.phone} replaced={phase.replaced} />
    case 'ready':
      return <Messages />
    case 'new-number':
      return <NewNumberCode change={phase.change} />
    case 'number-changed':
      return <NumberChanged formerPhone={phase.formerPhone} replaced={phase.replaced} />
    case 'moving-out':
      return <MovingOutScreen moving={phase.moving} />
    case 'moved':
      return <Moved />
    case 'export-unfinished':
      return <Unfinished />
    case 'broken':
      return <Broken failure={phase.failure} />
  }
}

function useChosenLanguage(): Language {
  const choice = usePreferences((state) => state.language)
  const tag = choice === 'system' ? preferredLanguage(navigator.languages) : choice
  const [language, setLanguage] = useState(english)
  useEffect(() => {
    let isWanted = true
    const load = async () => {
      const loaded = await loadLanguage(tag)
      if (isWanted) setLanguage(loaded)
    }
    void load()
    return () => {
      isWanted = false
    }
  }, [tag])
  useEffect(() => {
    document.documentElement.lang = language.tag
    document.documentElement.dir = language.direction
  }, [language])
  return language
}

function useTheme(): void {
  const theme = usePreferences((state) => state.theme)
  useEffect(() => {
    if (theme === 'system') delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = theme
  }, [theme])
}
