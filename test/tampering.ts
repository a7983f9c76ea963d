/** A server that lies about messages, as a client sees it: its connection is not what it was. */
import type { ClientPorts, Connection, ConnectionEvents, ServerApi } from '@couplet/client'
import type { PersonOptions } from './people.ts'

/** Some answers of the server over HTTP are others than its own. */
export function withApi(
  change: (honest: ServerApi) => Partial<ServerApi>,
): NonNullable<PersonOptions['ports']> {
  return (ports) => ({
    createApi: (url) => {
      const honest = ports.createApi(url)
      return {
        serverName: honest.serverName,
        info: () => honest.info(),
        register: (request) => honest.register(request),
        verify: (id, request) => honest.verify(id, request),
        publishPrekeys: (prekeys, signer) => honest.publishPrekeys(prekeys, signer),
        account: (signer) => honest.account(signer),
        lockRegistration: (pin, signer) => honest.lockRegistration(pin, signer),
        pushKey: () => honest.pushKey(),
        subscribeToPush: (subscription, signer) => honest.subscribeToPush(subscription, signer),
        unsubscribeFromPush: (signer) => honest.unsubscribeFromPush(signer),
        deleteAccount: (signer) => honest.deleteAccount(signer),
        lookup: (phone, signer) => honest.lookup(phone, signer),
        ...change(honest),
      }
    },
  })
}

/** Methods of a connection, each with the honest one to fall back on. */
export type Tampering = {
  readonly [M in 'put' | 'ack' | 'nack']?: (
    honest: Connection,
    ...args: Parameters<Connection[M]>
  ) => ReturnType<Connection[M]>
}

/** Stands between a client and its server: the ports of a person whose connection is so. */
export function tampered(
  methods: Tampering,
  told: {
    /** A connection was made: what it is, and whom it tells. */
    readonly connected?: (honest: Connection, events: ConnectionEvents) => void
    readonly deliver?: (
      honest: ConnectionEvents,
      ...args: Parameters<ConnectionEvents['deliver']>
    ) => void
  } = {},
): NonNullable<PersonOptions['ports']> {
  return (ports: ClientPorts) => ({
    createConnector: (url) => {
      const connector = ports.createConnector(url)
      return {
        connect: async (signer, events) => {
          const honest = await connector.connect(signer, {
            deliver: (delivery) =>
              told.deliver ? told.deliver(events, delivery) : events.deliver(delivery),
            caughtUp: () => events.caughtUp(),
            notice: (id, status) => events.notice(id, status),
            room: (recipient) => events.room(recipient),
            closed: (reason) => events.closed(reason),
          })
          told.connected?.(honest, events)
          return {
            capacity: honest.capacity,
            clockOffset: honest.clockOffset,
            put: (...put) => (methods.put ? methods.put(honest, ...put) : honest.put(...put)),
            ack: (...ack) => (methods.ack ? methods.ack(honest, ...ack) : honest.ack(...ack)),
            nack: (...nack) =>
              methods.nack ? methods.nack(honest, ...nack) : honest.nack(...nack),
            check: () => honest.check(),
            status: (ids) => honest.status(ids),
            close: () => honest.close(),
          }
        },
      }
    },
  })
}
