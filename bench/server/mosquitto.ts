/** Mosquitto, MQTT 3.1.1, QoS 1: one topic a user, sessions that outlive connections. */
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { generate, type Packet, parser } from 'mqtt-packet'
import { dial, freePort, ServerProcess } from './processes.ts'
import { type Client, type ClientEvents, PAYLOAD_BYTES, type ServerSubject } from './subject.ts'

export const mosquitto: ServerSubject = {
  remark: 'MQTT QoS 1 both ways, in memory, saved to disk now and then; no accounts, no proof',
  stores: true,
  async start(folder) {
    const port = await freePort()
    const file = join(folder, 'mosquitto.conf')
    writeFileSync(
      file,
      [
        `listener ${port} 127.0.0.1`,
        'allow_anonymous true',
        'persistence true',
        `persistence_location ${folder}/`,
        'max_queued_messages 100000',
        'max_inflight_messages 64',
        'set_tcp_nodelay true',
        'user root',
        'log_type error',
      ].join('\n'),
    )
    const server = await ServerProcess.start({ command: 'mosquitto', args: ['-c', file] }, port)
    return {
      process: server,
      connect: (user, events) => connect(port, user, events),
    }
  },
}

async function connect(
  port: number,
  user: number,
  { onMessage, onAccepted }: ClientEvents,
): Promise<Client> {
  const socket = await dial(port)
  const ready = Promise.withResolvers<void>()
  const write = (packet: Packet): void => {
    socket.write(generate(packet))
  }
  const packets = parser()
  let messageId = 0
  packets.on('packet', (packet) => {
    if (packet.cmd === 'connack') {
      const subscriptions = [{ topic: topicOf(user), qos: 1 as const }]
      write({ cmd: 'subscribe', messageId: 1, subscriptions })
    } else if (packet.cmd === 'suback') {
      ready.resolve()
    } else if (packet.cmd === 'publish') {
      write({ cmd: 'puback', messageId: packet.messageId! })
      onMessage()
    } else if (packet.cmd === 'puback') {
      onAccepted?.()
    }
  })
  socket.on('data', (data: Buffer) => packets.parse(data))
  socket.once('close', () => ready.reject(new Error('mosquitto closed the connection')))
  write({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: topicOf(user),
    clean: false,
    keepalive: 0,
  })
  await ready.promise
  return {
    send(to) {
      messageId = (messageId % 65_535) + 1
      write({
        cmd: 'publish',
        topic: topicOf(to),
        payload: PAYLOAD,
        qos: 1,
        messageId,
        dup: false,
        retain: false,
      })
    },
    close: () =>
      new Promise((resolve) => {
        socket.once('close', () => resolve())
        write({ cmd: 'disconnect' })
        socket.end()
      }),
  }
}

function topicOf(user: number): string {
  return `user/${user}`
}

const PAYLOAD = randomBytes(PAYLOAD_BYTES)
