import { chat } from './ar/chat.ts'
import { chats } from './ar/chats.ts'
import { common } from './ar/common.ts'
import { settings } from './ar/settings.ts'
import { start } from './ar/start.ts'
import { trust } from './ar/trust.ts'
import type { Catalogue } from './index.ts'

export const ar: Catalogue = { ...chat, ...chats, ...common, ...settings, ...start, ...trust }
