/** Above the first message: how this conversation is protected. */
import { useMessenger } from '../../app/messenger.ts'
import { go } from '../../app/places.ts'
import { useWords } from '../../i18n/index.ts'
import { Icon } from '../../ui/icon.tsx'

export function ChatBeginning({ peer }: { readonly peer: string }) {
  const words = useWords()
  const isVerified = useMessenger((state) => state.contacts.get(peer)?.verified ?? false)
  return (
    <div className="beginning">
      <Icon name="lock" size={18} />
      <p>
        {words('chat.begin')}{' '}
        {!isVerified && (
          <button type="button" className="link" onClick={() => go({ kind: 'verify', peer })}>
            {words('chat.begin.verify')}
          </button>
        )}
      </p>
    </div>
  )
}
