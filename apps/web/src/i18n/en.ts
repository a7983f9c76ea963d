/** Every word of the client, in English. The other languages have the same keys and placeholders. */
import { chat } from './en/chat.ts'
import { chats } from './en/chats.ts'
import { common } from './en/common.ts'
import { settings } from './en/settings.ts'
import { start } from './en/start.ts'
import { trust } from './en/trust.ts'

export const en = { ...chat, ...chats, ...common, ...settings, ...start, ...trust } as const
