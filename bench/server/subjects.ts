/** Every server that is compared. */
import { couplet } from './couplet.ts'
import { mosquitto } from './mosquitto.ts'
import { cRelay, wsRelay } from './relays.ts'
import type { ServerSubject } from './subject.ts'
import { ejabberd, prosody } from './xmpp.ts'

export const OURS = 'couplet'

export const SERVERS: Readonly<
  Record<
    string,
    {
      readonly subject: ServerSubject
      /** A program that has to be there. */
      readonly needs?: string
    }
  >
> = {
  [OURS]: { subject: couplet },
  ejabberd: { subject: ejabberd, needs: 'ejabberdctl' },
  prosody: { subject: prosody, needs: 'prosody' },
  mosquitto: { subject: mosquitto, needs: 'mosquitto' },
  'ws-relay': { subject: wsRelay },
  'c-relay': { subject: cRelay, needs: 'cc' },
}
