/** One conversation in the list: who, what last, when, and how much is new. */
import type { Conversation } from '@couplet/client'
import { memo } from 'react'
import { splitQuote } from '../../app/chat.ts'
import { useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { go, usePlace } from '../../app/places.ts'
import { useLanguage } from '../../i18n/index.ts'
import { shortTime } from '../../i18n/time.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Icon } from '../../ui/icon.tsx'
import { StateIcon } from '../../ui/state-icon.tsx'

export const ChatRow = memo(function ChatRow({
  conversation: { contact, last, unread },
  isOpen,
  isTabStop,
}: {
  readonly conversation: Conversation
  readonly isOpen: boolean
  readonly isTabStop: boolean
}) {
  const { words, tag } = useLanguage()
  const place = usePlace()
  const { name, given } = useCalled(contact.phone)
  const draft = useMessenger((state) => state.drafts[contact.phone])
  const isReplaced = useMessenger(
    (state) => state.contacts.get(contact.phone)?.sessionReplaced ?? false,
  )
  const hasDraft = draft !== undefined && draft.trim() !== '' && !isOpen
  const text = oneLine(hasDraft ? draft : splitQuote(last.text).text)

  return (
    <button
      type="button"
      className="chat-row"
      tabIndex={isTabStop ? 0 : -1}
      aria-current={isOpen ? 'page' : undefined}
      data-peer={contact.phone}
      data-region={isTabStop ? 'chats' : undefined}
      onClick={() => go({ kind: 'chat', peer: contact.phone }, { replace: place.kind === 'chat' })}
    >
      <Avatar phone={contact.phone} name={given} />
      <span className="chat-row-words">
        <span className="chat-row-top">
          <span className="chat-row-name">
            <bdi>{name}</bdi>
            {contact.verified && !contact.changedKey && (
              <span className="shield" title={words('chat.verified')}>
                <Icon name="shieldCheck" size={15} />
                <span className="visually-hidden">{words('chat.verified')}</span>
              </span>
            )}
          </span>
          <time className="chat-row-time" dateTime={new Date(last.sentAt).toISOString()}>
            {shortTime(last.sentAt, Date.now(), tag)}
          </time>
        </span>
        <span className="chat-row-bottom">
          <span className="chat-row-last">
            {contact.changedKey || isReplaced ? (
              <span className="chat-row-warning">
                {words(contact.changedKey ? 'chats.changed' : 'chats.replaced')}
              </span>
            ) : (
              <>
                {hasDraft && <span className="chat-row-draft">{words('chats.draft')} </span>}
                {!hasDraft && last.direction === 'outgoing' && <StateIcon state={last.state} />}
                <bdi>{text}</bdi>
              </>
            )}
          </span>
          {unread > 0 && (
            <span className="badge">
              <span aria-hidden="true">{unread > 99 ? '99+' : unread}</span>
              <span className="visually-hidden">{words('chats.unread', { count: unread })}</span>
            </span>
          )}
        </span>
      </span>
    </button>
  )
})

function oneLine(text: string): string {
  return text.slice(0, 200).replaceAll(/\s+/g, ' ').trim()
}
