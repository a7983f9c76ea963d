import { chat } from './de/chat.ts'
import { chats } from './de/chats.ts'
import { common } from './de/common.ts'
import { settings } from './de/settings.ts'
import { start } from './de/start.ts'
import { trust } from './de/trust.ts'
import type { Catalogue } from './index.ts'

export const de: Catalogue = { ...chat, ...chats, ...common, ...settings, ...start, ...trust }
