/** Who is compared. Each is loaded only in the process that measures it. */
import { OURS } from '../harness.ts'
import type { Subject } from './subject.ts'

export const OURS_WEB = 'couplet-web'

export const SUBJECTS: Readonly<Record<string, () => Promise<Subject>>> = {
  [OURS]: async () => {
    const { couplet, NODE } = await import('./couplet.ts')
    return couplet(NODE)
  },
  [OURS_WEB]: async () => {
    const { couplet, WEB } = await import('./couplet.ts')
    return couplet(WEB)
  },
  'libsignal-client': async () => (await import('./libsignal-client.ts')).libsignalClient(),
  'matrix-sdk-crypto-wasm': async () =>
    (await import('./matrix-sdk-crypto-wasm.ts')).matrixSdkCryptoWasm(),
  'libsignal-protocol-typescript': async () =>
    (await import('./libsignal-protocol-typescript.ts')).libsignalProtocolTypescript(),
  '2key-ratchet': async () => (await import('./two-key-ratchet.ts')).twoKeyRatchet(),
  'ts-mls': async () => (await import('./ts-mls.ts')).tsMls(),
}
