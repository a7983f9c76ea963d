/** Who this is, whether their key was compared, and how long messages live. */
import type { Contact } from '@couplet/client'
import { useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { go, goBack } from '../../app/places.ts'
import { useLanguage } from '../../i18n/index.ts'
import { duration } from '../../i18n/time.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import type { ChatDialog } from './conversation.tsx'

export function ChatHeader({
  peer,
  contact,
  onDialog,
}: {
  readonly peer: string
  readonly contact: Contact | undefined
  readonly onDialog: (dialog: ChatDialog) => void
}) {
  const { words, tag } = useLanguage()
  const { name, given, number } = useCalled(peer)
  const timer = useMessenger(
    (state) => state.people[peer]?.timerMs ?? state.settings.expiresAfterMs,
  )
  return (
    <header className="chat-header">
      <h1 className="visually-hidden">
        <bdi>{name}</bdi>
      </h1>
      <IconButton
        name={words('common.back')}
        icon="back"
        className="back-button"
        onClick={goBack}
      />
      <button
        type="button"
        className="chat-person"
        title={words('chat.person', { name })}
        onClick={() => onDialog({ kind: 'person' })}
      >
        <Avatar phone={peer} name={given} size={40} />
        <span className="chat-person-words">
          <bdi className="chat-person-name">{name}</bdi>
          {given && <bdi className="chat-person-more">{number}</bdi>}
        </span>
      </button>
      <Trust contact={contact} name={name} />
      <button
        type="button"
        className={`icon-button ${timer > 0 ? 'timer-on' : ''}`}
        aria-label={
          timer > 0 ? words('chat.timer', { time: duration(timer, tag) }) : words('chat.timer.off')
        }
        title={words('timer.title')}
        onClick={() => onDialog({ kind: 'timer' })}
      >
        <Icon name="timer" size={22} />
      </button>
    </header>
  )
}

function Trust({
  contact,
  name,
}: {
  readonly contact: Contact | undefined
  readonly name: string
}) {
  const { words } = useLanguage()
  if (!contact) return null
  const kind = contact.changedKey ? 'changed' : contact.verified ? 'verified' : 'unverified'
  return (
    <button
      type="button"
      className={`chip chip-${kind}`}
      aria-label={`${words(`chat.${kind}`)}. ${words('chat.verify', { name })}`}
      onClick={() => go({ kind: 'verify', peer: contact.phone })}
    >
      <Icon
        name={kind === 'verified' ? 'shieldCheck' : kind === 'changed' ? 'alert' : 'shield'}
        size={18}
      />
      <span>{words(`chat.${kind}`)}</span>
    </button>
  )
}
