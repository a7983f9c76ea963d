/** Tells screen readers what arrives; one's own messages need no telling. */
import { useEffect, useState } from 'react'
import { useMessenger } from '../app/messenger.ts'
import { nameOf } from '../app/people.ts'
import { usePhones } from '../app/phones.ts'
import { go } from '../app/places.ts'
import { usePreferences } from '../app/preferences.ts'
import { useLanguage } from '../i18n/index.ts'
import type { NotificationWords } from '../platform/notification-words.ts'

export function Announcer() {
  const { words, tag, direction } = useLanguage()
  useEffect(() => {
    void keepWords({ text: words('notification.title'), lang: tag, dir: direction })
  }, [words, tag, direction])
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

async function keepWords(words: NotificationWords): Promise<void> {
  const { webPlatform } = await import('../platform/index.ts')
  await webPlatform.notices?.keepWords(words).catch(() => undefined)
}

/** Says that there is a message, and neither from whom nor what. */
async function notify(title: string, peer: string): Promise<void> {
  const { webPlatform } = await import('../platform/index.ts')
  webPlatform.notices?.show(title, () => go({ kind: 'chat', peer }))
}

const LONGEST = 300
const GONE_AFTER_MS = 5000
