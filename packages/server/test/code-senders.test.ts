/** Codes on their way to a phone, each by a real peer that we have not written for it. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { createHmac } from 'node:crypto'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type { PhoneNumber } from '@couplet/wire'
import { SMTPServer } from 'smtp-server'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { smppTransport } from '../src/code-smpp.ts'
import { smtpTransport } from '../src/code-smtp.ts'
import {
  CodeRefusedError,
  type CodeTransport,
  nothingSent,
  sturdyCodeSender,
} from '../src/code-transport.ts'
import { twilioTransport } from '../src/code-twilio.ts'
import { webhookTransport } from '../src/code-webhook.ts'
import { isPrivate } from '../src/post.ts'

const PHONE = '+12025550101' as PhoneNumber
const TEXT = '123456 is your Couplet code. Tell it to nobody.'
const never = new AbortController().signal
const message = { phone: PHONE, code: '123456', text: TEXT }

interface Heard {
  readonly request: IncomingMessage
  readonly body: string
}

/** A real HTTP server that answers with these statuses, the last one again and again. */
class Peer {
  readonly heard: Heard[] = []
  statuses: number[] = [200]
  readonly #server: Server = createServer(
    (request, response) => void this.#answer(request, response),
  )

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.heard.push({ request, body: await text(request) })
    const status = this.statuses.length > 1 ? this.statuses.shift()! : this.statuses[0]!
    if (status === 0) return
    response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end('{}')
  }

  async start(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  stop(): void {
    this.#server.closeAllConnections()
    this.#server.close()
  }
}

let peer: Peer
let url = ''

beforeAll(async () => {
  peer = new Peer()
  url = await peer.start()
})
afterEach(() => {
  peer.heard.length = 0
  peer.statuses = [200]
})
afterAll(() => peer.stop())

function hook(): CodeTransport {
  return webhookTransport({ url: `${url}/codes`, secret: 's3cret', allowPrivate: true })
}

describe('a web hook', () => {
  it('hears number, code and text, signed', async () => {
    await hook().send(message, never)
    const [{ request, body }] = peer.heard as [Heard]
    expect(JSON.parse(body)).toEqual(message)
    const [, time, signature] = /^t=([0-9]+),v1=([0-9a-f]{64})$/.exec(
      String(request.headers['couplet-signature']),
    )!
    expect(createHmac('sha256', 's3cret').update(`${time}.${body}`).digest('hex')).toBe(signature)
    expect(Math.abs(Date.now() / 1000 - Number(time))).toBeLessThan(60)
  })

  it.each([
    [400, true],
    [404, true],
    [302, false],
    [408, false],
    [429, false],
    [500, false],
  ])('answers %i: a no that stays one: %s; redirects are not followed', async (status, stays) => {
    peer.statuses = [status]
    const failure = hook().send(message, never)
    await expect(failure).rejects.toThrow(`answered ${status}`)
    await failure.catch((error: unknown) => {
      expect(error instanceof CodeRefusedError).toBe(stays)
    })
    expect(peer.heard).toHaveLength(1)
  })

  it('at a private address is refused, by number and by name', async () => {
    const { port } = new URL(url)
    for (const host of [
      '127.0.0.1',
      'localhost',
      '[::1]',
      '[::ffff:127.0.0.1]',
      '169.254.169.254',
    ]) {
      const transport = webhookTransport({ url: `http://${host}:${port}/`, secret: 's' })
      await expect(transport.send(message, never)).rejects.toThrow(/private/)
    }
    expect(peer.heard).toEqual([])
  })

  it.each([
    ['10.1.2.3', true],
    ['172.31.0.1', true],
    ['172.32.0.1', false],
    ['100.64.0.1', true],
    ['198.51.100.1', false],
    ['fd00::1', true],
    ['fe80::1', true],
    ['::ffff:10.0.0.1', true],
    ['2001:db8::1', false],
  ])('%s is private: %s', (address, answer) => {
    expect(isPrivate(address)).toBe(answer)
  })
})

describe('Twilio', () => {
  const account = 'AC00000000000000000000000000000000'
  const twilio = (from: string) => twilioTransport({ account, token: 'token', from, url })

  it.each([
    ['+12025550199', 'From'],
    ['MG00000000000000000000000000000000', 'MessagingServiceSid'],
  ])('sends from %s', async (from, field) => {
    peer.statuses = [201]
    await twilio(from).send(message, never)
    const [{ request, body }] = peer.heard as [Heard]
    expect(request.url).toBe(`/2010-04-01/Accounts/${account}/Messages.json`)
    const basic = Buffer.from(`${account}:token`).toString('base64')
    expect(request.headers.authorization).toBe(`Basic ${basic}`)
    expect(Object.fromEntries(new URLSearchParams(body))).toEqual({
      To: PHONE,
      [field]: from,
      Body: TEXT,
    })
  })

  it('takes a 400 (an unreachable number) for a no that stays one', async () => {
    peer.statuses = [400]
    await expect(twilio('+12025550199').send(message, never)).rejects.toThrow(CodeRefusedError)
  })
})

describe('mail', () => {
  it('goes to the address that the number gives, with name and password over TLS', async () => {
    const got: { readonly to: string; readonly secure: boolean }[] = []
    const server = new SMTPServer({
      onAuth: ({ username, password }, _session, done) =>
        username === 'couplet' && password === 'pw'
          ? done(null, { user: username })
          : done(new Error('no')),
      onRcptTo: ({ address }, _session, done) =>
        done(
          address.startsWith('49') ? Object.assign(new Error('no'), { responseCode: 550 }) : null,
        ),
      onData: (stream, session, done) => {
        stream.resume()
        got.push({ to: session.envelope.rcptTo[0]!.address, secure: session.secure })
        done()
      },
      logger: false,
    })
    server.on('error', () => {})
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.server.address() as AddressInfo
    const options = {
      host: '127.0.0.1',
      port,
      user: 'couplet',
      from: 'couplet@chat.example',
      to: '{number}@sms.example',
      security: 'starttls' as const,
    }
    // The server's own certificate is nobody's: a client that cannot check it sends nothing.
    await expect(
      smtpTransport({ ...options, password: 'pw' }).send(message, never),
    ).rejects.toThrow(/self-signed|certificate|unable to verify/i)
    expect(got).toEqual([])
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })

  it('arrives at a real server, and a refused address is a no that stays one', async () => {
    const got: string[] = []
    const server = new SMTPServer({
      authOptional: true,
      disabledCommands: ['STARTTLS'],
      onRcptTo: ({ address }, _session, done) =>
        done(
          address.startsWith('49') ? Object.assign(new Error('no'), { responseCode: 550 }) : null,
        ),
      onData: (stream, session, done) => {
        let body = ''
        stream.on('data', (part: Buffer) => {
          body += String(part)
        })
        stream.on('end', () => {
          got.push(session.envelope.rcptTo[0]!.address, body)
          done()
        })
      },
      logger: false,
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()))
    const { port } = server.server.address() as AddressInfo
    const transport = smtpTransport({
      host: '127.0.0.1',
      port,
      security: 'none',
      from: 'couplet@chat.example',
      to: '{number}@sms.example',
    })
    await transport.send(message, never)
    expect(got[0]).toBe('12025550101@sms.example')
    expect(got[1]).toContain(TEXT)
    const german = { ...message, phone: '+4915112345678' as PhoneNumber }
    await expect(transport.send(german, never)).rejects.toThrow(CodeRefusedError)
    await new Promise<void>((resolve) => server.close(() => resolve()))
  })
})

describe("SMPP, at an SMSC made of Perl's library", () => {
  let smsc: ChildProcess
  let port = 0
  let output = ''

  beforeAll(async () => {
    requireNetSmpp()
    smsc = spawn('perl', [new URL('./smsc.pl', import.meta.url).pathname], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    smsc.stdout!.on('data', (part: Buffer) => {
      output += String(part)
    })
    while (!/^port [0-9]+\n/.test(output)) await sleep(20)
    port = Number(/^port ([0-9]+)/.exec(output)![1])
  })
  afterAll(() => smsc.kill())

  const sender = (password: string, from = 'Couplet') =>
    smppTransport({ host: '127.0.0.1', port, tls: false, systemId: 'couplet', password, from })

  it('binds and submits, from a name and from a number', async () => {
    await sender('secret').send(message, never)
    await sender('secret', '+12025550199').send(message, never)
    while (output.split('\n').length < 4) await sleep(20)
    expect(output.split('\n').slice(1, 3)).toEqual([
      `12025550101\tCouplet\t${TEXT}`,
      `12025550101\t12025550199\t${TEXT}`,
    ])
  })

  it('is told apart: a wrong password, a number that is refused, nobody there', async () => {
    await expect(sender('wrong').send(message, never)).rejects.toThrow(/does not let us in/)
    const refused = { ...message, phone: '+12025550199' as PhoneNumber }
    await expect(sender('secret').send(refused, never)).rejects.toThrow(CodeRefusedError)
    const nobody = smppTransport({
      host: '127.0.0.1',
      port: 1,
      tls: false,
      systemId: 'couplet',
      password: 'secret',
      from: 'Couplet',
    })
    await expect(nobody.send(message, never)).rejects.toThrow(/ECONNREFUSED/)
  })
})

describe('sturdiness', () => {
  let monotonic = 0
  const through = (transport: CodeTransport, timeoutMs = 1000) =>
    sturdyCodeSender(transport, {
      timeoutMs,
      breaker: { failures: 3, openMs: 30_000 },
      monotonic: () => monotonic,
    })

  it('tries once more after a failure that may pass, and not after a no', async () => {
    peer.statuses = [503, 200]
    await through(hook()).send(PHONE, '123456')
    expect(peer.heard).toHaveLength(2)
    expect(JSON.parse(peer.heard[0]!.body)).toEqual(message)
    peer.statuses = [400]
    await expect(through(hook()).send(PHONE, '123456')).rejects.toThrow(CodeRefusedError)
    expect(peer.heard).toHaveLength(3)
  })

  it('knows whether a message may have left, whichever try it was', async () => {
    const broken = (...errors: Error[]) =>
      through({ send: () => Promise.reject(errors.shift() ?? new Error('no more')) })
        .send(PHONE, '123456')
        .catch(nothingSent)
    const refused = Object.assign(new Error('connect ECONNREFUSED'), { syscall: 'connect' })
    const both = new AggregateError([refused, refused])
    expect(await broken(refused, both)).toBe(true)
    expect(await broken(new Error('the line was cut'), refused)).toBe(false)
    expect(await broken(refused, new Error('the line was cut'))).toBe(false)
    expect(await broken(new CodeRefusedError('no'))).toBe(false)
  })

  it('gives up on a peer that does not answer, and does not send twice', async () => {
    peer.statuses = [0]
    await expect(through(hook(), 100).send(PHONE, '123456')).rejects.toThrow(/timeout/i)
    expect(peer.heard).toHaveLength(1)
  })

  it('leaves a network alone that is down, asks again after a while, and recovers', async () => {
    peer.statuses = [500]
    const sender = through(hook())
    for (let time = 0; time < 2; time++) {
      await expect(sender.send(PHONE, '123456')).rejects.toThrow()
    }
    expect(peer.heard).toHaveLength(3)
    await expect(sender.send(PHONE, '123456')).rejects.toThrow(/is down/)
    expect(peer.heard).toHaveLength(3)
    monotonic += 30_001
    peer.statuses = [200]
    await sender.send(PHONE, '123456')
    await sender.send(PHONE, '123456')
    expect(peer.heard).toHaveLength(5)
  })
})

/** Net::SMPP, from Debian where this may be installed; else the words on what to install. */
function requireNetSmpp(): void {
  if (hasNetSmpp()) return
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    spawnSync('apt-get', ['update', '-q'])
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'libnet-smpp-perl'])
    if (hasNetSmpp()) return
  }
  throw new Error('needs Perl with Net::SMPP: install the package libnet-smpp-perl')
}

function hasNetSmpp(): boolean {
  return spawnSync('perl', ['-e', 'use Net::SMPP'], { timeout: 20_000 }).status === 0
}
