/** Today's server opens the data of an earlier one: people log in, and what waited arrives. */
import { createPrivateKey, sign } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { fromHex, identityIdPreimage, splitSignedIdentity } from '@couplet/wire'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sha256 } from '../../packages/server/src/signatures.ts'
import {
  type Answer,
  connect,
  envelope,
  makeIdentity,
  openRegistration,
  register,
  request,
  signedHeaders,
  startServer,
  type TestIdentity,
  type TestServer,
  verifyCode,
} from '../../packages/server/test/support.ts'

interface Fixture {
  readonly at: number
  readonly files: Readonly<Record<string, string>>
  readonly people: Readonly<Record<'ana' | 'ben' | 'cyd', Keys>>
  readonly answered: { readonly id: string; readonly receipt: string }
  readonly waiting: readonly string[]
  readonly pending: { readonly body: Answer['body']; readonly code: string }
}

interface Keys {
  readonly phone: string
  readonly key: string
  readonly identity: string
}

const fixture = JSON.parse(
  gunzipSync(readFileSync(join(import.meta.dirname, 'schema-1.json.gz'))).toString('utf8'),
) as Fixture

let data: string
let server: TestServer

beforeEach(async () => {
  data = mkdtempSync(join(tmpdir(), 'couplet-upgrade-'))
  for (const [name, content] of Object.entries(fixture.files)) {
    writeFileSync(join(data, name), Buffer.from(content, 'base64'))
  }
  server = await startServer({ data, clock: { now: () => fixture.at + 1000 } })
})

afterEach(async () => {
  await server.close()
  rmSync(data, { recursive: true })
})

function personOf({ phone, key, identity }: Keys): TestIdentity {
  const privateKey = createPrivateKey({
    key: Buffer.from(key, 'base64'),
    format: 'der',
    type: 'pkcs8',
  })
  const signedIdentity = Uint8Array.from(Buffer.from(identity, 'base64'))
  const { encoded } = splitSignedIdentity(signedIdentity)
  return {
    ...makeIdentity(phone),
    identityId: Uint8Array.from(sha256(identityIdPreimage(encoded))),
    signedIdentity,
    sign: (message) => sign(null, message, privateKey),
  }
}

test('of schema 1: nobody registers again, nothing that waited is lost', async () => {
  const [ana, ben, cyd] = [
    personOf(fixture.people.ana),
    personOf(fixture.people.ben),
    personOf(fixture.people.cyd),
  ]
  const bens = await connect(server, ben)
  for (const one of fixture.waiting) {
    const { envelope: arrived } = await bens.take('deliver')
    expect(Buffer.from(arrived).toString('base64')).toBe(one)
  }
  await bens.take('caught-up')

  const anas = await connect(server, ana)
  const { id, receipt } = fixture.answered
  expect(await anas.status([fromHex(id)])).toEqual([
    { kind: 'delivered', receipt: fromHex(receipt) },
  ])
  // What is new since works for old accounts, too.
  const headers = signedHeaders(server, ana, 'GET', '/v1/account', '', fixture.at + 1000)
  const account = await request(server, 'GET', '/v1/account', undefined, headers)
  expect(account.body).toMatchObject({ waiting: 0 })
  await anas.put(ben, envelope())
  await bens.take('deliver')

  // A code that was on its way still counts.
  const opened = { body: fixture.pending.body } as Answer
  expect((await verifyCode(server, cyd, opened, fixture.pending.code)).status).toBe(200)
  expect((await connect(server, cyd)).frames).toBeDefined()

  // And a number of before is taken over as one of today's.
  const heir = makeIdentity(ben.phone)
  expect((await openRegistration(server, heir)).status).toBe(201)
  await register(server, '+12025550104')
})
