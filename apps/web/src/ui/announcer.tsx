/** Tells screen readers what arrives; one's own messages need no telling. */
import { useEffect, useState } from 'react'
import { useMessenger } from '../app/messenger.ts'
import { nameOf } from '../app/people.ts'
import { usePhones } from '../app/phones.ts'
import { go } from '../app/places.ts'
import { usePreferences } from '../app/preferences.ts'
import { useWords } from '../i18n/index.ts'

export function Announcer() {
  const words = useWords()
  const phones = usePhones()
  const arrival = useMessenger((state) => state.arrival)
  const [text, setText] = useState('')
  useEffect(() => {
    if (!arrival) return
    const name = nameOf(arrival.peer)
    setText(
      words('announce.message', {
        name: name === arrival.peer ? phones.format(name) : name,
        text: arrival.text.slice(0, LONGEST),
      }),
    )
    if (document.hidden && usePreferences.getState().notify) {
      void notify(words('notification.title'), arrival.peer)
    }
    const timer = setTimeout(() => setText(''), GONE_AFTER_MS)
    return () => clearTimeout(timer)
  }, [arrival, words, phones])
  return (
    <div className="visually-hidden" aria-live="polite" data-testid="announcer">
      {text}
    </div>
  )
}

/** Says that there is a message, and neither from whom nor what. */
async function notify(title: string, peer: string): Promise<void> {
  const { webPlatform } = await import('../platform/index.ts')
  webPlatform.notices?.show(title, () => go({ kind: 'chat', peer }))
}

const LONGEST = 300
const GONE_AFTER_MS = 5000
