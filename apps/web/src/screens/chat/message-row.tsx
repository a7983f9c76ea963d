/** One message, and what stands above it: its day, the line of new ones, a gap. */
import { type MouseEvent, memo, useState } from 'react'
import { type AnyMessage, type Row, splitQuote } from '../../app/chat.ts'
import { useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { useLanguage, type Words } from '../../i18n/index.ts'
import { clockTime, daysBetween, longDay } from '../../i18n/time.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { StateIcon } from '../../ui/state-icon.tsx'
import type { MenuRequest } from './message-menu.tsx'
import { MessageText } from './message-text.tsx'

export const MessageRow = memo(function MessageRow({
  row: { entry, day, divider, gap, first, last },
  peer,
  isNewest,
  onMenu,
}: {
  readonly row: Row
  readonly peer: string
  readonly isNewest: boolean
  readonly onMenu: (request: MenuRequest) => void
}) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(peer)
  const { message } = entry
  const side = message.direction === 'outgoing' ? 'out' : 'in'
  // Only what comes while it is looked at moves; what was there does not.
  const [isFresh] = useState(() => isNewest && Date.now() - arrivedAt(message) < FRESH_MS)

  return (
    <>
      {day && <p className="day">{dayWords(words, message.sentAt, tag)}</p>}
      {divider && (
        <p className="divider">
          <span>{words('chat.new')}</span>
        </p>
      )}
      {gap > 0 && (
        <p className="gap" title={words('chat.gap.hint')}>
          {words('chat.gap', { count: gap, name })}
        </p>
      )}
      <div
        className={`row row-${side} ${first ? 'row-first' : ''} ${last ? 'row-last' : ''} ${isFresh ? 'row-fresh' : ''}`}
      >
        <Bubble message={message} name={name} showMeta={last} onMenu={onMenu} />
        <IconButton
          name={words('message.menu')}
          icon="more"
          size={18}
          className="row-menu"
          tabIndex={-1}
          onClick={(event) => onMenu({ message, anchor: event.currentTarget })}
        />
      </div>
      {message.direction === 'outgoing' && <Trouble message={message} name={name} />}
    </>
  )
})

function Bubble({
  message,
  name,
  showMeta,
  onMenu,
}: {
  readonly message: AnyMessage
  readonly name: string
  readonly showMeta: boolean
  readonly onMenu: (request: MenuRequest) => void
}) {
  const { words, tag } = useLanguage()
  const { quote, text } = splitQuote(message.text)
  const isOut = message.direction === 'outgoing'
  const hasState = isOut && (showMeta || message.state !== 'delivered')
  const isFromChangedKey = message.direction === 'incoming' && message.fromChangedKey
  const openMenu = (event: { preventDefault(): void; currentTarget: HTMLElement }) => {
    event.preventDefault()
    onMenu({ message, anchor: event.currentTarget })
  }
  return (
    <article
      className={`bubble ${isOut ? 'bubble-out' : 'bubble-in'} ${isOnlyEmoji(text) && !quote ? 'bubble-emoji' : ''}`}
      id={`message-${message.id}`}
      tabIndex={-1}
      aria-label={labelOf(words, message, name, tag)}
      onContextMenu={(event: MouseEvent<HTMLElement>) => {
        // Selected text has the browser's own menu.
        if (!getSelection()?.isCollapsed) return
        openMenu(event)
      }}
      onKeyDown={(event) => {
        const isMenuKey = event.key === 'ContextMenu' || (event.shiftKey && event.key === 'F10')
        if (isMenuKey || (event.key === 'Enter' && event.target === event.currentTarget)) {
          openMenu(event)
        }
      }}
    >
      {isFromChangedKey && (
        <p className="bubble-warning">
          <Icon name="alert" size={15} /> {words('chat.fromChanged')}
        </p>
      )}
      {quote && (
        <blockquote className="quote" dir="auto">
          {quote}
        </blockquote>
      )}
      <MessageText text={text} />
      {(showMeta || hasState || message.expiresAt !== undefined) && (
        <span className="bubble-meta">
          {message.expiresAt !== undefined && <Icon name="timer" size={13} />}
          {showMeta && <time>{clockTime(message.sentAt, tag)}</time>}
          {hasState && <StateIcon state={message.state} silent />}
        </span>
      )}
    </article>
  )
}

/** Why an own message is not there yet, where that is not the usual course of things. */
function Trouble({
  message,
  name,
}: {
  readonly message: Extract<AnyMessage, { direction: 'outgoing' }>
  readonly name: string
}) {
  const { words } = useLanguage()
  const isHeld = useMessenger((state) => state.contacts.get(message.peer)?.sessionReplaced ?? false)
  if (message.state === 'pending' && isHeld) {
    return <p className="trouble">{words('state.pending.held', { name })}</p>
  }
  if (message.state === 'waiting-for-room') {
    return <p className="trouble">{words('state.waiting-for-room.why', { name })}</p>
  }
  if (message.state !== 'failed') return null
  const reason = message.failure
    ? words(`failure.${message.failure}` as 'failure.key-changed', { name })
    : words('state.failed.why')
  return (
    <p className="trouble trouble-failed">
      {words('state.failed')}. {reason}
    </p>
  )
}

/** Sender, text, time, state: the order that people with screen readers ask for. */
function labelOf(words: Words, message: AnyMessage, name: string, tag: string): string {
  const values = { text: message.text, time: clockTime(message.sentAt, tag) }
  return message.direction === 'incoming'
    ? words('message.label.in', { ...values, name })
    : words('message.label.out', { ...values, state: words(`state.${message.state}`) })
}

function dayWords(words: Words, at: number, tag: string): string {
  const now = Date.now()
  const days = daysBetween(at, now)
  if (days === 0) return words('chat.today')
  if (days === 1) return words('chat.yesterday')
  return longDay(at, now, tag)
}

function arrivedAt(message: AnyMessage): number {
  return message.direction === 'incoming' ? message.receivedAt : message.sentAt
}

function isOnlyEmoji(text: string): boolean {
  return text.length <= 24 && /^(?:\p{RGI_Emoji}|\s){1,7}$/v.test(text) && /\S/.test(text)
}

const FRESH_MS = 2000
