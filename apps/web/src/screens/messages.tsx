/** The main screen: the list at the side, and beside it what was chosen. One at a time when narrow. */
import { lazy, Suspense, useEffect, useState } from 'react'
import { useMessenger } from '../app/messenger.ts'
import { currentPlace, go, goBack, usePlace } from '../app/places.ts'
import { LIST_WIDTH, usePreferences } from '../app/preferences.ts'
import { nextChat, useShortcuts } from '../app/shortcuts.ts'
import { useWords } from '../i18n/index.ts'
import { Announcer } from '../ui/announcer.tsx'
import { Icon } from '../ui/icon.tsx'
import { Conversation } from './chat/conversation.tsx'
import { Chats } from './chats/chats.tsx'
import { ConnectionStrip } from './connection-strip.tsx'

const Settings = lazy(async () => ({ default: (await import('./settings/settings.tsx')).Settings }))
const Verify = lazy(async () => ({ default: (await import('./verify/verify.tsx')).Verify }))
const Requests = lazy(async () => ({ default: (await import('./requests.tsx')).Requests }))
const NewChat = lazy(async () => ({ default: (await import('./new-chat/new-chat.tsx')).NewChat }))
const Shortcuts = lazy(async () => ({ default: (await import('./shortcuts.tsx')).Shortcuts }))

const UpdatePrompt = lazy(async () => ({
  default: (await import('../ui/update-prompt.tsx')).UpdatePrompt,
}))

export type Overlay = 'new-number' | 'new-code' | 'shortcuts'

export function Messages() {
  const words = useWords()
  const place = usePlace()
  const listWidth = usePreferences((state) => state.listWidth)
  const [overlay, setOverlay] = useState<Overlay | undefined>(overlayOfAddress)
  const close = () => setOverlay(undefined)

  useShortcuts({
    new: () => setOverlay('new-number'),
    search: () => document.getElementById('search')?.focus(),
    next: () => nextChat(1),
    previous: () => nextChat(-1),
    settings: () => go({ kind: 'settings' }),
    help: () => setOverlay('shortcuts'),
    escape: () => {
      if (currentPlace().kind !== 'chats') goBack()
    },
  })

  return (
    <div
      className="messages"
      data-place={place.kind}
      style={{ '--list-width': `${listWidth}px` } as React.CSSProperties}
    >
      <a className="skip" href="#main">
        {words('common.skip')}
      </a>
      <Chats onOverlay={setOverlay}>
        <Resizer />
      </Chats>
      <main className="pane" id="main" tabIndex={-1}>
        <div>
          <ConnectionStrip />
          <Suspense fallback={null}>
            <UpdatePrompt />
          </Suspense>
        </div>
        <Suspense fallback={<div className="pane-loading" />}>
          {place.kind === 'chats' && <NoChat />}
          {place.kind === 'chat' && <Conversation key={place.peer} peer={place.peer} />}
          {place.kind === 'requests' && <Requests />}
          {place.kind === 'verify' && <Verify key={place.peer} peer={place.peer} />}
          {place.kind === 'settings' && <Settings section={place.section} />}
        </Suspense>
      </main>
      <Suspense fallback={null}>
        {(overlay === 'new-number' || overlay === 'new-code') && (
          <NewChat tab={overlay === 'new-code' ? 'code' : 'number'} onClose={close} />
        )}
        {overlay === 'shortcuts' && <Shortcuts onClose={close} />}
      </Suspense>
      <Announcer />
    </div>
  )
}

/** Somebody came by a link with a contact in it. */
function overlayOfAddress(): Overlay | undefined {
  return location.hash.startsWith('#add=') ? 'new-code' : undefined
}

function NoChat() {
  const words = useWords()
  const hasChats = useMessenger((state) => state.conversations.length > 0)
  return (
    <div className="empty empty-pane">
      <Icon name="lock" size={32} />
      <h2>{words(hasChats ? 'chats.none.title' : 'chats.none.first')}</h2>
      <p>{words('chats.none.text')}</p>
    </div>
  )
}

function isRightToLeft(): boolean {
  return document.documentElement.dir === 'rtl'
}

/** The border between list and conversation can be moved, by pointer and by arrow keys. */
function Resizer() {
  const words = useWords()
  const width = usePreferences((state) => state.listWidth)
  const change = usePreferences((state) => state.change)
  const resize = (wanted: number) =>
    change({ listWidth: Math.round(Math.min(LIST_WIDTH.most, Math.max(LIST_WIDTH.least, wanted))) })

  useEffect(() => () => document.documentElement.classList.remove('resizing'), [])
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that can be moved is no <hr>
    <div
      className="resizer"
      role="separator"
      tabIndex={0}
      aria-label={words('chats.list')}
      aria-orientation="vertical"
      aria-valuenow={width}
      aria-valuemin={LIST_WIDTH.least}
      aria-valuemax={LIST_WIDTH.most}
      onKeyDown={({ key }) => {
        const step = { ArrowLeft: -16, ArrowRight: 16 }[key]
        if (step) resize(width + (isRightToLeft() ? -step : step))
      }}
      onDoubleClick={() => resize(LIST_WIDTH.usual)}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId)
        document.documentElement.classList.add('resizing')
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
        resize(isRightToLeft() ? innerWidth - event.clientX : event.clientX)
      }}
      onPointerUp={() => document.documentElement.classList.remove('resizing')}
    />
  )
}
