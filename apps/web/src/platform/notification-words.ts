/** What a push is shown with: left by the page, in its user's language, for the service worker. */

export interface NotificationWords {
  readonly text: string
  /** BCP 47. */
  readonly lang: string
  readonly dir: 'ltr' | 'rtl'
}

/** Not one of the caches that go with a version of the app. */
export const WORDS_CACHE = 'words'
export const WORDS_ADDRESS = '/notification-words'

export async function keepNotificationWords(words: NotificationWords): Promise<void> {
  if (!('caches' in globalThis)) return
  const cache = await caches.open(WORDS_CACHE)
  await cache.put(WORDS_ADDRESS, Response.json(words))
}
