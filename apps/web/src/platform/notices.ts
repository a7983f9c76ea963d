/** Notifications while a page is open, where nobody looks at it. */
import { keepNotificationWords } from './notification-words.ts'
import type { Notices } from './ports.ts'
import { registration } from './updates.ts'

export function notices(): Notices {
  const isSupported = 'Notification' in globalThis
  return {
    keepWords: keepNotificationWords,
    get permission() {
      return isSupported ? Notification.permission : 'unsupported'
    },
    request: async () => isSupported && (await Notification.requestPermission()) === 'granted',
    show(title, onOpen) {
      if (!isSupported || Notification.permission !== 'granted') return
      const options = { icon: '/icon-192.png', tag: 'message' }
      try {
        const notification = new Notification(title, options)
        notification.addEventListener('click', () => {
          notification.close()
          focus()
          onOpen()
        })
      } catch {
        // Some systems let only service workers show them.
        void registration.then((registered) => registered?.showNotification(title, options))
      }
    },
  }
}
