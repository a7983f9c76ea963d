/** Runs argon2id once, and answers with the key. */
import { stretchHere } from '@couplet/client/web'
import type { StretchRequest } from './stretch.ts'

globalThis.addEventListener('message', ({ data }: MessageEvent<StretchRequest>) => {
  void answer(data)
})

async function answer({ input }: StretchRequest): Promise<void> {
  const key = await stretchHere(...input)
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has one listener
  globalThis.postMessage(key)
}
