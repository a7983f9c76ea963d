/** argon2id in a worker: it takes a second or more, and the screen must not stand still. */
import type { Stretch } from '@couplet/client'
// oxlint-disable-next-line import/default -- the build makes it
import workerAddress from './stretch-worker.ts?worker&url'
import { scriptAddress } from './trusted.ts'

export interface StretchRequest {
  readonly input: Parameters<Stretch>
}

export const stretchInWorker: Stretch = (...input) =>
  new Promise((resolve, reject) => {
    const worker = new Worker(scriptAddress(workerAddress) as string, { type: 'module' })
    worker.addEventListener('message', ({ data }: MessageEvent<Uint8Array<ArrayBuffer>>) => {
      worker.terminate()
      resolve(data)
    })
    worker.addEventListener('error', (event) => {
      worker.terminate()
      reject(new Error('the worker for passphrases has failed', { cause: event.error }))
    })
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker has one listener
    worker.postMessage({ input } satisfies StretchRequest)
  })
