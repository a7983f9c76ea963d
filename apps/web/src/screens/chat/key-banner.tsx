/**
 * Somebody's key changed, or a verified person's session began anew without proof: cannot be missed,
 * and says what can be done. Nothing is sent until somebody decides.
 */
import type { Contact } from '@couplet/client'
import { useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { useCalled } from '../../app/names.ts'
import { acceptKey } from '../../app/people.ts'
import { go } from '../../app/places.ts'
import { useLanguage } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Icon } from '../../ui/icon.tsx'
import { showToast } from '../../ui/toast.tsx'

export function KeyBanner({ contact }: { readonly contact: Contact }) {
  if (contact.changedKey) return <Banner key="changed" contact={contact} kind="changed" />
  if (contact.sessionReplaced) return <Banner key="replaced" contact={contact} kind="replaced" />
  return null
}

function Banner({
  contact,
  kind,
}: {
  readonly contact: Contact
  readonly kind: 'changed' | 'replaced'
}) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(contact.phone)
  const [isLater, setLater] = useState(false)
  const [isAsking, setAsking] = useState(false)
  const accept = () => {
    acceptKey(contact).catch((error: unknown) =>
      showToast(sentenceFor(words, failureOf(error), tag), 'failure'),
    )
  }
  const text =
    kind === 'changed' && !contact.verified ? 'changed.text.unverified' : (`${kind}.text` as const)
  return (
    <div className={`banner ${isLater ? 'banner-small' : ''}`} role="alert">
      <Icon name="alert" size={22} />
      <div className="banner-words">
        <h2>{words(`${kind}.title`, { name })}</h2>
        {!isLater && <p>{words(text, { name })}</p>}
      </div>
      <div className="banner-buttons">
        <Button look="main" onClick={() => go({ kind: 'verify', peer: contact.phone })}>
          {words('changed.compare')}
        </Button>
        <Button onClick={() => setAsking(true)}>{words(`${kind}.accept`)}</Button>
        {!isLater && (
          <Button look="quiet" onClick={() => setLater(true)}>
            {words('changed.later')}
          </Button>
        )}
      </div>
      <Confirm
        title={words(`${kind}.accept.title`, { name })}
        text={words(`${kind}.accept.text`, { name })}
        action={words(`${kind}.accept`)}
        open={isAsking}
        onClose={() => setAsking(false)}
        onConfirm={accept}
      />
    </div>
  )
}
