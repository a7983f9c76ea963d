/** Frames of one turn of the event loop leave in one write. (architecture.md, "Server") */
import type { Socket } from 'node:net'

/** Holds back what is written to the socket until this turn is over. */
export function corkForThisTurn(socket: Socket): void {
  // Whoever else corks a socket uncorks it before anything of ours is written.
  if (socket.writableCorked > 0) return
  socket.cork()
  if (corked.length === 0) setImmediate(uncorkAll)
  corked.push(socket)
}

function uncorkAll(): void {
  const sockets = corked
  corked = []
  for (const socket of sockets) socket.uncork()
}

let corked: Socket[] = []
