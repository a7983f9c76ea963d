/**
 * What the screens need of the browser, and nothing else of it: where a home lies, which tab may use
 * it, and how a person is told of a message.
 *
 * The screens are written against the interfaces of `ports.ts`. This file chooses who serves them.
 */
import { browserHome } from './browser-home.ts'
import { browserMoving } from './browser-moving.ts'
import { notices } from './notices.ts'
import type { WebPlatform } from './ports.ts'
import { updates } from './updates.ts'
import { webLock } from './web-lock.ts'
import { webPush } from './web-push.ts'

export type * from './ports.ts'

export const webPlatform: WebPlatform = {
  home: browserHome(),
  tabLock: webLock(),
  moving: browserMoving(),
  notices: notices(),
  push: webPush(),
  updates: updates(),
}
