/** The list of conversations, with search on top and requests in a row of their own. */
import { type KeyboardEvent, type ReactNode, useRef, useState } from 'react'
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
  return (
    <div className="chats-scroll">
      <RequestsRow />
      <nav aria-label={words('chats.list')} onKeyDown={moveFocus}>
        <ul className="chat-list">
          {conversations.map((conversation, index) => (
            <ChatRow
              key={conversation.contact.phone}
              conversation={conversation}
              isOpen={conversation.contact.phone === open}
              isTabStop={
                open === undefined || !conversations.some(({ contact }) => contact.phone === open)
                  ? index === 0
                  : conversation.contact.phone === open
              }
            />
          ))}
        </ul>
      </nav>
    </div>
  )
}

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

/** Up and down between rows; one of them is a tab stop. */
function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key]
  if (!step || event.altKey || event.ctrlKey) return
  const rows = [...event.currentTarget.querySelectorAll<HTMLElement>('.chat-row')]
  const at = rows.indexOf(document.activeElement as HTMLElement)
  const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))]
  if (!next) return
  event.preventDefault()
  next.focus()
}
