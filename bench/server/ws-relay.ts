/** A relay that knows nothing: `node ws-relay.ts PORT`. (relays.ts) */
import { type WebSocket, WebSocketServer } from 'ws'

const NUMBER_BYTES = 4
const users = new Map<number, WebSocket>()
const server = new WebSocketServer({
  port: Number(process.argv[2]),
  host: '127.0.0.1',
  perMessageDeflate: false,
})
server.on('connection', (webSocket) => {
  webSocket.on('error', () => webSocket.terminate())
  webSocket.on('message', (data: Buffer) => {
    const user = data.readUInt32BE(0)
    if (data.length > NUMBER_BYTES) users.get(user)?.send(data)
    else {
      users.set(user, webSocket)
      webSocket.send(data)
    }
  })
})
process.on('SIGTERM', () => process.exit())
