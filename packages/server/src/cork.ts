/** Frames of one turn of the event loop leave in one write. (architecture.md, "Server") */
import type { Socket } from 'node:net'

/** Holds back what is written to the socket until this turn is over. */
export function corkForThisTurn(socket: Socket): void {
  if (corked.has(socket)) return
  socket.cork()
  if (corked.size === 0) setImmediate(uncorkAll)
  corked.add(socket)
}

function uncorkAll(): void {
  const sockets = [...corked]
  corked.clear()
  for (const socket of sockets) socket.uncork()
}

const corked = new Set<Socket>()
