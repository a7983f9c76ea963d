/**
 * What was said, oldest on top. Only what is near the window is in the document, so five thousand
 * messages scroll like fifty.
 *
 * `role="log"` is around the list and not on it: on the list it would take away that it is one. New
 * messages are told by the announcer, since what scrolls into the document is not news.
 */
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react'
import { Virtualizer, type VirtualizerHandle } from 'virtua'
import { type Chat, EMPTY_CHAT, layOut } from '../../app/chat.ts'
import { loadEarlier, useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { usePlace } from '../../app/places.ts'
import { useWords } from '../../i18n/index.ts'
import { Icon } from '../../ui/icon.tsx'
import { ChatBeginning } from './chat-beginning.tsx'
import type { MenuRequest } from './message-menu.tsx'
import { MessageRow } from './message-row.tsx'

export function Log({
  peer,
  onMenu,
}: {
  readonly peer: string
  readonly onMenu: (request: MenuRequest) => void
}) {
  const words = useWords()
  const { name } = useCalled(peer)
  const chat = useMessenger((state) => state.chats[peer]) ?? EMPTY_CHAT
  const rows = useMemo(() => layOut(chat), [chat])
  const scroller = useRef<HTMLDivElement>(null)
  const list = useRef<VirtualizerHandle>(null)
  const isPrepending = useIsPrepending(chat)
  const { isAtEnd, unseen, noteScroll, toEnd } = useFollowing(peer, chat, scroller, list)
  const beginning = chat.isWhole || chat.messages.length === 0 ? 1 : 0

  useEffect(() => {
    // A short first page leaves room for more.
    const element = scroller.current
    if (element && chat.isLoaded && element.scrollHeight <= element.clientHeight) {
      void loadEarlier(peer)
    }
  }, [chat, peer])

  return (
    <div className="log-place">
      <div
        ref={scroller}
        className="log"
        role="log"
        aria-live="off"
        aria-label={words('chat.log', { name })}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be within reach of keys
        tabIndex={0}
        data-region="log"
        data-loaded={chat.isLoaded}
        onKeyDown={(event) => moveBetweenMessages(event)}
      >
        <div className="log-space" />
        <Virtualizer
          ref={list}
          as="ol"
          item="li"
          scrollRef={scroller}
          shift={isPrepending}
          bufferSize={600}
          onScroll={(offset) => {
            noteScroll(offset)
            if (offset < EARLIER_AT_PX && chat.isLoaded && !chat.isWhole) void loadEarlier(peer)
          }}
        >
          {beginning === 1 && chat.isLoaded ? <ChatBeginning key="beginning" peer={peer} /> : null}
          {rows.map((row, index) => (
            <MessageRow
              key={row.entry.key}
              row={row}
              peer={peer}
              isNewest={index === rows.length - 1}
              onMenu={onMenu}
            />
          ))}
        </Virtualizer>
      </div>
      {!isAtEnd && (
        <button
          type="button"
          className="to-end"
          aria-label={
            unseen > 0 ? words('chat.latest.new', { count: unseen }) : words('chat.latest')
          }
          onClick={toEnd}
        >
          {unseen > 0 && <span className="badge">{unseen}</span>}
          <Icon name="down" size={22} />
        </button>
      )}
    </div>
  )
}

/** Whether this picture has more on top than the one before, and is otherwise the same. */
function useIsPrepending({ messages }: Chat): boolean {
  const before = useRef<{ first: string | undefined; last: string | undefined }>(undefined)
  const first = messages[0]?.key
  const last = messages.at(-1)?.key
  const known = before.current
  const isPrepending = known !== undefined && known.first !== first && known.last === last
  useLayoutEffect(() => {
    before.current = { first, last }
  })
  return isPrepending
}

/** Stays at the end while somebody is there; otherwise counts what comes. */
function useFollowing(
  peer: string,
  chat: Chat,
  scroller: React.RefObject<HTMLDivElement | null>,
  list: React.RefObject<VirtualizerHandle | null>,
) {
  const place = usePlace()
  const at = place.kind === 'chat' && place.peer === peer ? place.at : undefined
  const following = useRef(true)
  const [isAtEnd, setAtEnd] = useState(true)
  const [unseen, setUnseen] = useState(0)
  const count = useRef(0)
  const lastKey = chat.messages.at(-1)?.key
  const lastDirection = chat.messages.at(-1)?.message.direction

  const toEnd = () => {
    following.current = true
    setUnseen(0)
    setAtEnd(true)
    const element = scroller.current
    if (element) element.scrollTop = element.scrollHeight
    list.current?.scrollToIndex(count.current + 1, { align: 'end' })
  }
  const noteScroll = (offset: number) => {
    const handle = list.current
    if (!handle) return
    const isNear = handle.scrollSize - handle.viewportSize - offset < END_PX
    following.current = isNear
    setAtEnd(isNear)
    if (isNear) setUnseen(0)
  }

  // biome-ignore lint/correctness/useExhaustiveDependencies: when there is something new at the end
  useLayoutEffect(() => {
    const added = chat.messages.length - count.current
    count.current = chat.messages.length
    if (!chat.isLoaded) return
    if (following.current || lastDirection === 'outgoing') toEnd()
    else if (added > 0 && lastDirection === 'incoming') setUnseen((n) => n + added)
  }, [lastKey, chat.isLoaded])

  // A message that was searched for.
  // biome-ignore lint/correctness/useExhaustiveDependencies: once it is asked for, or loaded
  useEffect(() => {
    if (!at || !chat.isLoaded) return
    const index = chat.messages.findIndex(({ message }) => message.id === at)
    if (index === -1) {
      void loadEarlier(peer)
      return
    }
    following.current = false
    list.current?.scrollToIndex(index, { align: 'center' })
    const mark = () => {
      const found = document.getElementById(`message-${at}`)
      found?.focus({ preventScroll: true })
      found?.classList.add('bubble-found')
    }
    setTimeout(mark, 100)
  }, [at, chat.isLoaded, chat.pages])

  // The window, the keyboard of a phone, a growing composer, a message whose font has come.
  useEffect(() => {
    const element = scroller.current
    if (!element) return
    const observer = new ResizeObserver(() => {
      if (following.current) element.scrollTop = element.scrollHeight
    })
    observer.observe(element)
    for (const child of element.children) observer.observe(child)
    return () => observer.disconnect()
  }, [scroller])

  return { isAtEnd, unseen, noteScroll, toEnd }
}

/** Up and down from message to message; Escape back to the composer. */
function moveBetweenMessages(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key]
  if (!step || event.altKey || event.ctrlKey) return
  const bubbles = [...event.currentTarget.querySelectorAll<HTMLElement>('.bubble')]
  const at = bubbles.indexOf(document.activeElement as HTMLElement)
  // From the log itself one enters at the end.
  const next =
    at === -1 ? bubbles.at(-1) : bubbles[Math.min(bubbles.length - 1, Math.max(0, at + step))]
  if (!next) return
  event.preventDefault()
  next.focus()
  next.scrollIntoView({ block: 'nearest' })
}

const END_PX = 80
const EARLIER_AT_PX = 600
