/**
 * What is posted here becomes a message, over the daemon's HTTP. (docs/daemon.md)
 *
 *     couplet --home ./bot daemon --http 7583
 *     DAEMON=http://127.0.0.1:7583 TOKEN_FILE=./bot/daemon.token TO=+12025550102 SECRET=… node bridge.mjs
 *     curl -d 'The build is green.' 'http://localhost:8081/?secret=…'
 */
import { timingSafeEqual } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import process from 'node:process'

const { DAEMON, TOKEN_FILE, TO, SECRET, PORT = '8081' } = process.env
if (!DAEMON || !TOKEN_FILE || !TO || !SECRET)
  throw new Error('set DAEMON, TOKEN_FILE, TO and SECRET')
const token = readFileSync(TOKEN_FILE, 'utf8').trim()

/** Resolves when the message is in the outbox, from where it cannot get lost. */
async function send(text) {
  const response = await fetch(`${DAEMON}/v1/rpc`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'send', params: { to: TO, text } }),
  })
  const { error } = await response.json()
  if (error) throw new Error(error.message)
}

function isSecret(given) {
  const [a, b] = [Buffer.from(given), Buffer.from(SECRET)]
  return a.length === b.length && timingSafeEqual(a, b)
}

async function answer(request, response) {
  try {
    const { searchParams } = new URL(request.url, 'http://localhost')
    if (!isSecret(searchParams.get('secret') ?? '')) return response.writeHead(403).end()
    let text = ''
    for await (const chunk of request) {
      text += chunk
      if (text.length > 10_000) return response.writeHead(413).end()
    }
    await send(text)
    response.writeHead(202).end()
  } catch (error) {
    console.error(error)
    response.writeHead(502).end()
  }
}

const server = createServer((request, response) => void answer(request, response))
server.listen(Number(PORT), '127.0.0.1', () => {
  console.log(`http://127.0.0.1:${server.address().port}`)
})
