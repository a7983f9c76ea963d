/** The main job of the server, end to end over real sockets, with each store. */

import { rmSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import {
  connect,
  dataFolder,
  envelope,
  freshBytes,
  idOf,
  register,
  request,
  signedHeaders,
  startServer,
  type TestServer,
} from './support.ts'

let server: TestServer
const folders: string[] = []

afterEach(async () => {
  await server.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true })
})

function newFolder(): string {
  folders.push(dataFolder())
  return folders.at(-1)!
}

describe.each(['memory', 'embedded'])('with the %s store', (kind) => {
  it('registers two, finds one, keeps a message for the absent, and proves its delivery', async () => {
    server = await startServer(kind === 'embedded' ? { data: newFolder() } : {})
    const ana = await register(server, '+12025550101')
    const ben = await register(server, '+12025550102')

    const path = `/v1/directory/${ben.phone}`
    const found = await request(
      server,
      'GET',
      path,
      undefined,
      signedHeaders(server, ana, 'GET', path),
    )
    expect(found.status).toBe(200)

    const anas = await connect(server, ana)
    await anas.take('caught-up')
    const message = envelope()
    expect(await anas.put(ben, message)).toEqual({ kind: 'stored' })
    expect(await anas.status([idOf(message)])).toEqual([{ kind: 'waiting' }])

    const bens = await connect(server, ben)
    const delivered = await bens.take('deliver')
    expect(delivered.envelope).toEqual(message)
    expect(delivered.sender).toEqual(ana.identityId)
    await bens.take('caught-up')

    const receipt = freshBytes(32)
    await bens.ack(idOf(message), receipt)
    const notice = await anas.take('notice')
    expect(notice.status).toEqual({ kind: 'delivered', receipt: receipt })
  })

  it('delivers live: acknowledged at once, the put is answered with the receipt', async () => {
    server = await startServer(kind === 'embedded' ? { data: newFolder() } : {})
    const ana = await register(server, '+12025550101')
    const ben = await register(server, '+12025550102')
    const anas = await connect(server, ana)
    const bens = await connect(server, ben)
    await bens.take('caught-up')

    const message = envelope()
    const receipt = freshBytes(32)
    const ref = anas.putting(ben, message)
    await bens.take('deliver')
    await bens.ack(idOf(message), receipt)
    const outcome = await anas.outcome(ref)
    expect(outcome).toEqual({ kind: 'delivered', receipt: receipt })
  })
})
