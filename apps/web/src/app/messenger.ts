/**
 * What the screens show of an open home, and what a person can do in it.
 *
 * The SDK's store is the truth; this is a picture of it that follows its events. What a person does
 * is shown at once and corrected when the SDK says otherwise.
 */
import type { Conversation, Couplet, OutgoingMessage } from '@couplet/client'
import {
  type AnyMessage,
  afterStatus,
  type Chat,
  EMPTY_CHAT,
  merged,
  withEarlier,
  without,
  withSending,
  withSent,
} from './chat.ts'
import { kept } from './kept.ts'
import { takeAlong } from './renumbered.ts'
import { changed, keepRecent, recentPeers, withContacts, withRows } from './rows.ts'
import { CLOSED, MEMO, type Messenger, requireCouplet, useMessenger } from './state.ts'

export type { Connection, Messenger, PersonNote, Refusal } from './state.ts'
export { MEMO, requireCouplet, useMessenger } from './state.ts'

const set = useMessenger.setState
const get = useMessenger.getState

/** Takes over an opened client and shows what it has. */
export async function openMessenger(couplet: Couplet): Promise<void> {
  const [people, drafts, ownName, settings] = await Promise.all([
    couplet.memo<Messenger['people']>(MEMO.people),
    couplet.memo<Messenger['drafts']>(MEMO.drafts),
    couplet.memo<string>(MEMO.ownName),
    couplet.settings(),
  ])
  set({
    ...CLOSED,
    couplet,
    people: people ?? {},
    drafts: drafts ?? {},
    ownName: ownName ?? '',
    settings,
    connection: { state: 'offline', downSince: Date.now(), wasUp: false },
  })
  listen(couplet)
  const peers = await recentPeers(couplet)
  if (peers.length === 0) return refreshAll()
  // The top of the list is there at once, the rest follows.
  const [conversations, contacts] = await Promise.all([
    couplet.conversations({ peers }),
    couplet.contacts({ peers }),
  ])
  set({ conversations, contacts: withContacts(new Map(), peers, contacts) })
  void refreshSoon()
}

export async function closeMessenger(): Promise<void> {
  const { couplet } = get()
  if (!couplet) return
  await saveDrafts()
  set(CLOSED)
  await couplet.close()
}

// ----- following the SDK

function listen(couplet: Couplet): void {
  couplet.on('status', (message) => noteStatus(message))
  couplet.on('arrival', (peer) => void refreshSoon(peer))
  couplet.on('request', ({ phone }) => void refreshSoon(phone))
  couplet.on('warning', ({ kind, contact }) => {
    if (kind === 'number-changed') void takeAlong([contact])
    // One who has another number is not in the list under the former one any more.
    void refreshSoon(kind === 'number-changed' ? undefined : contact.phone)
  })
  couplet.on('expired', ({ peer, id }) => {
    changeChat(peer, (chat) => without(chat, id))
    void refreshSoon(peer)
  })
}

function noteStatus(message: OutgoingMessage): void {
  const { peer } = message
  changeChat(peer, (chat) => afterStatus(chat, message))
  set(({ conversations }) => ({
    conversations: changed(conversations, peer, (entry) =>
      entry.last.id === message.id ? { ...entry, last: message } : entry,
    ),
  }))
  // What is being read may be older than this.
  if (reads > 0 || refreshing || message.failure === 'key-changed') void refreshSoon(peer)
}

let refreshing: Promise<void> | undefined
/** Whose rows may be out of date. */
let stale = new Set<string>()
let isAllStale = false

/**
 * Several events in a row make one refresh, and one more when some came meanwhile.
 *
 * @param peer - the only one whom it concerns; left out, it may be everybody.
 */
function refreshSoon(peer?: string): Promise<void> {
  if (peer === undefined) isAllStale = true
  else stale.add(peer)
  refreshing ??= refreshWhileStale()
  return refreshing
}

async function refreshWhileStale(): Promise<void> {
  try {
    // What happens in one go is read in one go.
    await Promise.resolve()
    while (isAllStale || stale.size > 0) {
      const peers = [...stale]
      const isAll = isAllStale || peers.length > MOST_PEERS
      stale = new Set()
      isAllStale = false
      await (isAll ? refreshAll() : refreshSome(peers))
    }
  } catch {
    // The home is broken or closed, which is told elsewhere.
  } finally {
    refreshing = undefined
  }
}

/** The whole list, and the conversation on the screen: others are read again when they are opened. */
async function refreshAll(): Promise<void> {
  const { couplet, open } = get()
  if (!couplet) return
  const [conversations, contacts, requests] = await Promise.all([
    couplet.conversations(),
    couplet.contacts(),
    couplet.requests(),
    open && get().chats[open] && readChat(open, RECENT),
  ])
  if (get().couplet !== couplet) return
  await takeAlong(contacts)
  set((before) => ({
    conversations: kept(before.conversations, conversations),
    requests: kept(before.requests, requests),
    contacts: new Map(
      kept([...before.contacts.values()], contacts).map((contact) => [contact.phone, contact]),
    ),
  }))
  await afterRefresh(couplet)
}

/** Their rows, whatever number of others there is. */
async function refreshSome(peers: readonly string[]): Promise<void> {
  const { couplet, open } = get()
  if (!couplet) return
  const [conversations, contacts] = await Promise.all([
    couplet.conversations({ peers }),
    couplet.contacts({ peers }),
    open && peers.includes(open) && get().chats[open] && readChat(open, RECENT),
  ])
  const wereRequests = get().requests.some(({ contact }) => peers.includes(contact.phone))
  const mayBeRequests = conversations.length < peers.length
  const requests = wereRequests || mayBeRequests ? await couplet.requests() : undefined
  if (get().couplet !== couplet) return
  announceArrivals(conversations)
  set((before) => ({
    conversations: withRows(before.conversations, peers, conversations),
    requests: requests ? kept(before.requests, requests) : before.requests,
    contacts: withContacts(before.contacts, peers, contacts),
  }))
  await afterRefresh(couplet)
}

async function afterRefresh(couplet: Couplet): Promise<void> {
  await keepRecent(couplet, get().conversations)
  const { open } = get()
  if (open) await seenIfVisible(open)
}

/** More at once are read with all others. */
const MOST_PEERS = 50

/** Reads of conversations take their turns: an older picture never replaces a newer one. */
let turn: Promise<unknown> = Promise.resolve()
let reads = 0

/** Reads the newest messages of a conversation into its picture. */
function readChat(
  peer: string,
  limit: number,
  also: (chat: Chat, messages: readonly AnyMessage[]) => Chat = (chat) => chat,
): Promise<void> {
  const read = async () => {
    const { couplet } = get()
    if (!couplet) return
    reads++
    try {
      const messages = await couplet.history(peer, { limit })
      if (get().couplet !== couplet) return
      set(({ chats }) => ({
        chats: { ...chats, [peer]: also(merged(chats[peer] ?? EMPTY_CHAT, messages), messages) },
      }))
    } finally {
      reads--
    }
  }
  const result = turn.then(read)
  turn = result.catch(() => undefined)
  return result
}

/** Messages that are read again when something has happened. */
const RECENT = 60

/** Others' new messages are told; one's own are not. */
function announceArrivals(now: readonly Conversation[]): void {
  const before = new Map(get().conversations.map((entry) => [entry.contact.phone, entry]))
  for (const { contact, last, unread } of now) {
    const known = before.get(contact.phone)
    const isNew = unread > (known?.unread ?? 0) && known?.last.id !== last.id
    if (!isNew || last.direction !== 'incoming' || !get().connection.wasUp) continue
    set({ arrival: { peer: contact.phone, text: last.text } })
  }
}

// ----- conversations

/** Shows a conversation: what is known of it at once, and what has come since when it is read. */
export async function openChat(peer: string): Promise<void> {
  requireCouplet()
  set({ open: peer })
  const unread = unreadOf(peer)
  if (get().chats[peer]) {
    await readChat(peer, RECENT, (chat) => divided(chat, unread))
  } else {
    await readChat(peer, FIRST_PAGE, (chat, messages) => ({
      ...divided(chat, unread),
      pages: 1,
      isWhole: messages.length < FIRST_PAGE,
      isLoaded: true,
    }))
  }
  await seenIfVisible(peer)
}

export function closeChat(peer: string): void {
  if (get().open === peer) set({ open: undefined })
  changeChat(peer, ({ dividerId: _dividerId, ...chat }) => chat)
}

function unreadOf(peer: string): number {
  return get().conversations.find(({ contact }) => contact.phone === peer)?.unread ?? 0
}

/** "New messages" stands before the first of them. */
function divided(chat: Chat, unread: number): Chat {
  if (unread === 0) return chat
  const first = chat.messages.filter(({ message: m }) => m.direction === 'incoming').at(-unread)
  return first ? { ...chat, dividerId: first.message.id } : chat
}

/** What is on the screen, of a window that is looked at, counts as seen. */
export async function seenIfVisible(peer: string): Promise<void> {
  if (document.visibilityState !== 'visible' || get().open !== peer) return
  if (unreadOf(peer) === 0) return
  set(({ conversations }) => ({
    conversations: changed(conversations, peer, (entry) => ({ ...entry, unread: 0 })),
  }))
  await requireCouplet().markAllSeen(peer)
  // Their time to live has begun.
  await readChat(peer, RECENT)
}

/** One page more on top. */
export async function loadEarlier(peer: string): Promise<void> {
  const chat = get().chats[peer]
  const before = chat?.messages[0]?.message.id
  if (!chat || chat.isWhole || chat.isLoading || before === undefined) return
  changeChat(peer, (now) => ({ ...now, isLoading: true }))
  const older = await requireCouplet().history(peer, { limit: PAGE, before })
  changeChat(peer, (now) => withEarlier(now, before, older, older.length < PAGE))
}

/** @throws {ClientError}; then nothing of it is shown any more. */
export async function send(peer: string, text: string): Promise<void> {
  const couplet = requireCouplet()
  const key = `sending ${++sendingCount}`
  // Whoever answers has seen what was new.
  changeChat(peer, ({ dividerId: _dividerId, ...chat }) =>
    withSending(chat, { key, peer, text, at: Date.now() }),
  )
  setDraft(peer, '')
  const expiresAfterMs = get().people[peer]?.timerMs
  underway++
  try {
    const options = expiresAfterMs === undefined ? {} : { expiresAfterMs }
    const { message } = await couplet.send(peer, text, options)
    changeChat(peer, (chat) => withSent(chat, key, message))
    void refreshSoon(peer)
  } catch (error) {
    changeChat(peer, (chat) => without(chat, key))
    // Unless something else was begun meanwhile.
    if (!get().drafts[peer]) setDraft(peer, text)
    void refreshSoon(peer)
    throw error
  } finally {
    underway--
  }
}
let sendingCount = 0
/** Messages that were sent off and are not in the store yet. */
let underway = 0

// With the page they would be gone: the browser asks first.
addEventListener('beforeunload', (event) => {
  if (underway > 0) event.preventDefault()
})

export async function deleteHere(peer: string, id: string): Promise<void> {
  changeChat(peer, (chat) => without(chat, id))
  await requireCouplet().deleteMessage(id)
  await refreshSoon(peer)
}

export async function clearChat(peer: string): Promise<void> {
  const couplet = requireCouplet()
  const messages = await couplet.history(peer, { limit: Number.MAX_SAFE_INTEGER })
  for (const { id } of messages) await couplet.deleteMessage(id).catch(() => undefined)
  changeChat(peer, () => ({ ...EMPTY_CHAT, isLoaded: true, isWhole: true }))
  await refreshSoon(peer)
}

function changeChat(peer: string, change: (chat: Chat) => Chat): void {
  set(({ chats }) => {
    const chat = chats[peer]
    return chat ? { chats: { ...chats, [peer]: change(chat) } } : {}
  })
}

export function setDraft(peer: string, text: string): void {
  set(({ drafts: { [peer]: _draft, ...others } }) => ({
    drafts: text === '' ? others : { ...others, [peer]: text },
  }))
  clearTimeout(draftTimer)
  draftTimer = setTimeout(() => void saveDrafts(), DRAFT_DELAY_MS)
}
let draftTimer: ReturnType<typeof setTimeout> | undefined

async function saveDrafts(): Promise<void> {
  clearTimeout(draftTimer)
  const { couplet, drafts } = get()
  await couplet?.keepMemo(MEMO.drafts, drafts).catch(() => undefined)
}

/** After something about a contact was changed through the SDK itself. */
export function refreshPerson(peer: string): Promise<void> {
  return refreshSoon(peer)
}

const FIRST_PAGE = 80
const PAGE = 200
const DRAFT_DELAY_MS = 400
