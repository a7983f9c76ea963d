/**
 * The service worker: the app starts without a network, a new version waits until it is asked for,
 * and a push is shown. Nothing is cached but the app itself.
 *
 * The build puts the list of the app's files in; with any of them this file changes, and the browser
 * finds a new version.
 */

import type { NotificationWords } from './notification-words.ts'

/** Paths, each with a hash where its name has none. */
const PRECACHE = JSON.parse('__PRECACHE__') as readonly string[]
const CACHE = 'couplet-__VERSION__'
const START_PAGE = '/index.html'

/** What this file uses of a service worker's surroundings: the types of a page have none of it. */
interface Worker {
  readonly location: Location
  readonly registration: ServiceWorkerRegistration
  readonly clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<readonly PageClient[]>
    openWindow(url: string): Promise<unknown>
  }
  skipWaiting(): Promise<void>
  addEventListener<K extends keyof WorkerEvents>(
    type: K,
    listener: (event: WorkerEvents[K]) => void,
  ): void
}

interface PageClient {
  readonly visibilityState: DocumentVisibilityState
  focus(): Promise<unknown>
}

interface Extendable {
  waitUntil(work: Promise<unknown>): void
}

interface WorkerEvents {
  readonly install: Extendable
  readonly activate: Extendable
  readonly push: Extendable
  readonly message: MessageEvent<unknown>
  readonly notificationclick: Extendable & { readonly notification: Notification }
  readonly fetch: { readonly request: Request; respondWith(answer: Promise<Response>): void }
}

const worker = globalThis as unknown as Worker

worker.addEventListener('install', (event) => event.waitUntil(precache()))
worker.addEventListener('activate', (event) => event.waitUntil(forgetOthers()))
worker.addEventListener('fetch', (event) => {
  const path = ownPath(event.request)
  if (path !== undefined) event.respondWith(fromCache(path, event.request))
})
worker.addEventListener('message', ({ data }) => {
  if (data === 'use the new version') void worker.skipWaiting()
})
worker.addEventListener('push', (event) => event.waitUntil(tell()))
worker.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(openApp())
})

async function precache(): Promise<void> {
  const cache = await caches.open(CACHE)
  await cache.addAll(PRECACHE.map((path) => new Request(path, { cache: 'reload' })))
}

async function forgetOthers(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('couplet-') && name !== CACHE) await caches.delete(name)
  }
}

/** The app's file that a request is for; `undefined` for everything else, which goes its way. */
function ownPath({ method, mode, url }: Request): string | undefined {
  const { origin, pathname } = new URL(url)
  if (method !== 'GET' || origin !== worker.location.origin) return undefined
  if (PRECACHE.includes(pathname)) return pathname
  const isPage = mode === 'navigate' && !/^\/(?:v1\/|livez|readyz|openapi)/.test(pathname)
  return isPage ? START_PAGE : undefined
}

async function fromCache(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE)
  return (await cache.match(path)) ?? fetch(request)
}

/** Says no more than the push itself. Somebody who looks at the app sees the message anyway. */
async function tell(): Promise<void> {
  const pages = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  if (pages.some(({ visibilityState }) => visibilityState === 'visible')) return
  const { text, lang, dir } = await words()
  await worker.registration.showNotification('Couplet', {
    body: text,
    lang,
    dir,
    icon: '/icon-192.png',
    tag: 'message',
  })
}

/** What the page last said in its user's language; English before that. */
async function words(): Promise<NotificationWords> {
  const cache = await caches.open(WORDS_CACHE)
  const kept = await cache.match(WORDS_ADDRESS)
  return kept ? ((await kept.json()) as NotificationWords) : ENGLISH
}

/** As in notification-words.ts, which is not imported: this file must be a single one. */
const WORDS_CACHE = 'words'
const WORDS_ADDRESS = '/notification-words'
const ENGLISH: NotificationWords = { text: 'New message', lang: 'en', dir: 'ltr' }

async function openApp(): Promise<void> {
  const [page] = await worker.clients.matchAll({ type: 'window', includeUncontrolled: true })
  await (page ? page.focus() : worker.clients.openWindow('/'))
}
