/** Where a server dies, and where the next one listens. */
import { createServer } from 'node:net'
import type { Random } from './random.ts'

/** Death between two writes, or a disk that is full for a while. */
export function failpoint(random: Random): string {
  const kind = random.weighted({ 'kill-before': 4, 'kill-after': 4, full: 2 })
  // Early ones as likely as late ones.
  const at = Math.floor(2 ** (random.fraction() * 10))
  return kind === 'full' ? `full:${at}:${random.integer(1, 30)}` : `${kind}:${at}`
}

export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => {
    server.listen(0, 'localhost', resolve)
  })
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}
