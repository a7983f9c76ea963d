/** One conversation: who it is with, what was said, and where to write. */
import { lazy, Suspense, useEffect, useState } from 'react'
import type { AnyMessage } from '../../app/chat.ts'
import {
  closeChat,
  deleteHere,
  openChat,
  seenIfVisible,
  useMessenger,
} from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { block } from '../../app/people.ts'
import { useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { copyText, showToast } from '../../ui/toast.tsx'
import { ChatHeader } from './chat-header.tsx'
import { Composer } from './composer.tsx'
import { KeyBanner } from './key-banner.tsx'
import { Log } from './log.tsx'
import type { MenuRequest } from './message-menu.tsx'

const MessageMenu = lazy(async () => ({
  default: (await import('./message-menu.tsx')).MessageMenu,
}))
const ChatDialogs = lazy(async () => ({ default: (await import('./dialogs.tsx')).ChatDialogs }))

export type ChatDialog =
  | { readonly kind: 'person' }
  | { readonly kind: 'timer' }
  | { readonly kind: 'details'; readonly message: AnyMessage }
  | { readonly kind: 'delete'; readonly message: AnyMessage }

export function Conversation({ peer }: { readonly peer: string }) {
  const words = useWords()
  const called = useCalled(peer)
  const contact = useMessenger((state) => state.contacts.get(peer))
  const [menu, setMenu] = useState<MenuRequest>()
  const [dialog, setDialog] = useState<ChatDialog>()
  const [reply, setReply] = useState<AnyMessage>()

  useEffect(() => {
    void openChat(peer)
    const seen = () => void seenIfVisible(peer)
    document.addEventListener('visibilitychange', seen)
    return () => {
      document.removeEventListener('visibilitychange', seen)
      closeChat(peer)
    }
  }, [peer])

  const act = (action: MenuAction, message: AnyMessage) => {
    if (action === 'reply') setReply(message)
    else if (action === 'copy') void copyText(message.text, words('common.copied'))
    else setDialog({ kind: action, message })
  }
  const remove = async (message: AnyMessage) => {
    await deleteHere(peer, message.id)
    showToast(words('message.deleted'))
  }

  return (
    <section className="chat" aria-label={called.name}>
      <ChatHeader peer={peer} contact={contact} onDialog={setDialog} />
      {contact && <KeyBanner contact={contact} />}
      <Log peer={peer} onMenu={setMenu} />
      {contact?.blocked ? (
        <div className="composer-off">
          <p>{words('chat.blocked', { name: called.name })}</p>
          <Button onClick={() => void block(peer, false)}>{words('chat.unblock')}</Button>
        </div>
      ) : (
        <Composer
          peer={peer}
          isPaused={contact?.changedKey !== undefined}
          reply={reply}
          onReplied={() => setReply(undefined)}
        />
      )}
      <Suspense fallback={null}>
        {menu && <MessageMenu request={menu} onAction={act} onClose={() => setMenu(undefined)} />}
        {dialog && (
          <ChatDialogs
            peer={peer}
            dialog={dialog}
            onClose={() => setDialog(undefined)}
            onDelete={(message) => void remove(message)}
          />
        )}
      </Suspense>
    </section>
  )
}

export type MenuAction = 'reply' | 'copy' | 'delete' | 'details'
