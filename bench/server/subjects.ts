/** Every server that is compared. Each is loaded only when it is measured, and its library is there. */
import { OURS } from '../harness.ts'
import type { ServerSubject } from './subject.ts'

export const SERVERS: Readonly<
  Record<
    string,
    {
      readonly subject: () => Promise<ServerSubject>
      /** A program that has to be there. */
      readonly needs?: string
    }
  >
> = {
  [OURS]: { subject: async () => (await import('./couplet.ts')).couplet },
  ejabberd: { subject: async () => (await import('./xmpp.ts')).ejabberd, needs: 'ejabberdctl' },
  prosody: { subject: async () => (await import('./xmpp.ts')).prosody, needs: 'prosody' },
  mosquitto: {
    subject: async () => (await import('./mosquitto.ts')).mosquitto,
    needs: 'mosquitto',
  },
  'ws-relay': { subject: async () => (await import('./relays.ts')).wsRelay },
  'c-relay': { subject: async () => (await import('./relays.ts')).cRelay, needs: 'cc' },
}
