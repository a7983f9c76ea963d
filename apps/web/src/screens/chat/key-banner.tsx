/** A changed key: cannot be missed, and says what can be done. Nothing is sent until somebody decides. */
import type { Contact } from '@couplet/client'
import { useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { acceptKey } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { go } from '../../app/places.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { showToast } from '../../ui/toast.tsx'

export function KeyBanner({ contact }: { readonly contact: Contact }) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(contact.phone)
  const [isLater, setLater] = useState(false)
  const [isAsking, setAsking] = useState(false)
  if (!contact.changedKey) return null

  const accept = () => {
    acceptKey(contact).catch((error: unknown) =>
      showToast(sentenceFor(words, failureOf(error), tag), 'failure'),
    )
  }
  return (
    <div className={`banner ${isLater ? 'banner-small' : ''}`} role="alert">
      <Icon name="alert" size={22} />
      <div className="banner-words">
        <h2>{words('changed.title', { name })}</h2>
        {!isLater && <p>{words(contact.verified ? 'changed.text' : 'changed.text.unverified')}</p>}
      </div>
      <div className="banner-buttons">
        <Button look="main" onClick={() => go({ kind: 'verify', peer: contact.phone })}>
          {words('changed.compare')}
        </Button>
        <Button onClick={() => setAsking(true)}>{words('changed.accept')}</Button>
        {!isLater && (
          <Button look="quiet" onClick={() => setLater(true)}>
            {words('changed.later')}
          </Button>
        )}
      </div>
      <Confirm
        title={words('changed.accept.title', { name })}
        text={words('changed.accept.text')}
        action={words('changed.accept')}
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={accept}
      />
    </div>
  )
}
