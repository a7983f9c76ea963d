/** What the screens draw of an open home. `messenger.ts` fills it and keeps it up to date. */
import type {
  ConnectionState,
  Contact,
  Conversation,
  Couplet,
  MessageRequest,
  Settings,
} from '@couplet/client'
import { create } from 'zustand'
import type { Chat } from './chat.ts'

/** What this device alone knows about somebody. */
export type PersonNote = {
  readonly name?: string | undefined
  /** Time to live of messages to this person; left out, the one of the settings. */
  readonly timerMs?: number | undefined
  /** The former number whose notes this one has taken over: they are taken once. */
  readonly formerPhone?: string | undefined
}

/** Where the store keeps what belongs to the screens alone. */
export const MEMO = { people: 'web.people', drafts: 'web.drafts', ownName: 'web.own-name' } as const

export interface Connection {
  readonly state: ConnectionState
  /** Since when it is not online, in milliseconds since 1970. */
  readonly downSince: number | undefined
  /** Whether it was online before. */
  readonly wasUp: boolean
  /** The server is there and says no: trying again changes nothing. */
  readonly refusal?: Refusal | undefined
}

/** The number has another key by now; or this app is older than the server allows. */
export type Refusal = 'unauthenticated' | 'client-too-old'

export interface Messenger {
  readonly couplet: Couplet | undefined
  readonly connection: Connection
  readonly conversations: readonly Conversation[]
  readonly contacts: ReadonlyMap<string, Contact>
  readonly requests: readonly MessageRequest[]
  readonly chats: Readonly<Record<string, Chat>>
  readonly people: Readonly<Record<string, PersonNote>>
  readonly drafts: Readonly<Record<string, string>>
  readonly settings: Settings
  /** One's own name, which nobody else sees. */
  readonly ownName: string
  /** The conversation on the screen. */
  readonly open: string | undefined
  /** For the live region; a new object each time. */
  readonly arrival: { readonly peer: string; readonly text: string } | undefined
}

/** Nothing is open. */
export const CLOSED: Messenger = {
  couplet: undefined,
  connection: { state: 'offline', downSince: undefined, wasUp: false },
  conversations: [],
  contacts: new Map(),
  requests: [],
  chats: {},
  people: {},
  drafts: {},
  settings: { receipts: true, strangers: 'accept', expiresAfterMs: 0 },
  ownName: '',
  open: undefined,
  arrival: undefined,
}

export const useMessenger = create<Messenger>()(() => CLOSED)

export function requireCouplet(): Couplet {
  const { couplet } = useMessenger.getState()
  if (!couplet) throw new Error('the home is not open')
  return couplet
}
