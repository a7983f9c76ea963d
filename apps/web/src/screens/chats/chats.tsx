/** The list of conversations, with search on top and requests in a row of their own. */
import type { Conversation } from '@couplet/client'
import { type KeyboardEvent, type ReactNode, useEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { useMessenger } from '../../app/messenger.ts'
import { go, usePlace } from '../../app/places.ts'
import { useWords } from '../../i18n/index.ts'
import { Button, IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import type { Overlay } from '../messages.tsx'
import { ChatRow } from './chat-row.tsx'
import { SearchResults } from './search-results.tsx'

export function Chats({
  onOverlay,
  children,
}: {
  readonly onOverlay: (overlay: Overlay) => void
  /** At the border of the list. */
  readonly children: ReactNode
}) {
  const words = useWords()
  const [query, setQuery] = useState('')
  const input = useRef<HTMLInputElement>(null)
  const clear = () => {
    setQuery('')
    input.current?.focus()
  }

  return (
    <aside className="chats" aria-label={words('chats.title')}>
      <header className="chats-header">
        <h1 className="chats-title">{words('chats.title')}</h1>
        <IconButton
          name={words('chats.settings')}
          icon="settings"
          onClick={() => go({ kind: 'settings' })}
        />
        <IconButton
          name={words('chats.new')}
          icon="plus"
          className="icon-button-main"
          onClick={() => onOverlay('new-number')}
        />
      </header>
      <search className="search">
        <Icon name="search" size={18} />
        <input
          ref={input}
          id="search"
          className="search-input"
          type="search"
          autoComplete="off"
          aria-label={words('chats.search')}
          placeholder={words('chats.search')}
          value={query}
          onChange={(event) => setQuery(event.currentTarget.value)}
          onKeyDown={(event) => {
            if (event.key !== 'Escape' || !query) return
            event.preventDefault()
            clear()
          }}
        />
        {query && (
          <IconButton
            name={words('chats.search.clear')}
            icon="close"
            size={18}
            className="icon-button-small"
            onClick={clear}
          />
        )}
      </search>
      {query.trim() ? (
        <SearchResults query={query.trim()} onChosen={() => setQuery('')} />
      ) : (
        <ChatList onOverlay={onOverlay} />
      )}
      {children}
    </aside>
  )
}

function ChatList({ onOverlay }: { readonly onOverlay: (overlay: Overlay) => void }) {
  const words = useWords()
  const place = usePlace()
  const conversations = useMessenger((state) => state.conversations)
  const open = place.kind === 'chat' || place.kind === 'verify' ? place.peer : undefined

  if (conversations.length === 0) {
    return (
      <div className="chats-scroll">
        <RequestsRow />
        <div className="empty">
          <h2>{words('chats.empty.title')}</h2>
          <p>{words('chats.empty.text')}</p>
          <Button look="main" icon="plus" onClick={() => onOverlay('new-number')}>
            {words('chats.empty.number')}
          </Button>
          <Button icon="qr" onClick={() => onOverlay('new-code')}>
            {words('chats.empty.code')}
          </Button>
        </div>
      </div>
    )
  }
  return <Rows conversations={conversations} open={open} />
}

/** Only what is near the window is in the document, and the row that keys begin at. */
function Rows({
  conversations,
  open,
}: {
  readonly conversations: readonly Conversation[]
  readonly open: string | undefined
}) {
  const words = useWords()
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const openAt = conversations.findIndex(({ contact }) => contact.phone === open)
  const tabStop = Math.max(0, openAt)
  const kept = useMemo(() => [tabStop], [tabStop])

  // The one that was chosen by a key may be out of sight.
  // biome-ignore lint/correctness/useExhaustiveDependencies: where it is matters only then
  useEffect(() => {
    if (openAt !== -1) list.current?.scrollToIndex(openAt, { align: 'nearest' })
  }, [open])

  /** Up and down between rows; one of them is a tab stop. */
  const moveFocus = (event: KeyboardEvent<HTMLElement>) => {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key]
    if (!step || event.altKey || event.ctrlKey) return
    event.preventDefault()
    const peer = (document.activeElement as HTMLElement | null)?.dataset.peer
    const at = conversations.findIndex(({ contact }) => contact.phone === peer)
    const next = Math.min(conversations.length - 1, Math.max(0, at + step))
    list.current?.scrollToIndex(next, { align: 'nearest' })
    focusRow(scroller.current, conversations[next]?.contact.phone)
  }
  return (
    <div className="chats-scroll" ref={scroller}>
      <RequestsRow />
      <nav aria-label={words('chats.list')} onKeyDown={moveFocus}>
        <Virtualizer
          ref={list}
          as="ul"
          item="li"
          scrollRef={scroller}
          bufferSize={400}
          itemSize={ROW_PX}
          keepMounted={kept}
        >
          {conversations.map((conversation, index) => (
            <ChatRow
              key={conversation.contact.phone}
              conversation={conversation}
              isOpen={index === openAt}
              isTabStop={index === tabStop}
            />
          ))}
        </Virtualizer>
      </nav>
    </div>
  )
}

/** Focuses a row once it is in the document: one that was far away comes with the next frames. */
function focusRow(place: HTMLElement | null, peer: string | undefined, tries = FOCUS_FRAMES): void {
  const row = place?.querySelector<HTMLElement>(`[data-peer="${peer}"]`)
  if (row) row.focus({ preventScroll: true })
  else if (tries > 0) requestAnimationFrame(() => focusRow(place, peer, tries - 1))
}

/** Height of a row of the list; others are measured. */
const ROW_PX = 68
const FOCUS_FRAMES = 10

function RequestsRow() {
  const words = useWords()
  const place = usePlace()
  const count = useMessenger((state) => state.requests.length)
  if (count === 0) return null
  return (
    <button
      type="button"
      className="chat-row requests-row"
      aria-current={place.kind === 'requests' ? 'page' : undefined}
      onClick={() => go({ kind: 'requests' })}
    >
      <span className="requests-icon">
        <Icon name="people" size={22} />
      </span>
      <span className="chat-row-words">
        <span className="chat-row-name">{words('chats.requests', { count })}</span>
        <span className="chat-row-last">{words('chats.requests.hint')}</span>
      </span>
    </button>
  )
}
