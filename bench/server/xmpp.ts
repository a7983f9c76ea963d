/**
 * XMPP: ejabberd and Prosody as Debian packages them, over their real sockets. Accounts are made by
 * in-band registration. TLS is left out, as it is everywhere here.
 */
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { dial, freePort, ServerProcess } from './processes.ts'
import { type Client, type ClientEvents, PAYLOAD_BYTES, type ServerSubject } from './subject.ts'

const HOST = 'bench.local'
/** Where Debian keeps them. */
const EJABBERD_LIBRARIES = '/usr/lib/x86_64-linux-gnu'

export const ejabberd: ServerSubject = {
  remark: 'XMPP; offline messages in Mnesia, which does not wait for the disk; no acknowledgements',
  stores: true,
  async start(folder, users) {
    const port = await freePort()
    const config = join(folder, 'ejabberd.yml')
    writeFileSync(config, EJABBERD_CONFIG.replace('PORT', String(port)))
    const server = await ServerProcess.start(
      {
        command: 'erl',
        args: ['-noinput', '-mnesia', 'dir', `"${folder}/mnesia"`, '+K', 'true', '-s', 'ejabberd'],
        env: {
          ERL_LIBS: EJABBERD_LIBRARIES,
          EJABBERD_CONFIG_PATH: config,
          EJABBERD_LOG_PATH: join(folder, 'ejabberd.log'),
          HOME: folder,
        },
      },
      port,
    )
    await registerAll(port, users)
    return {
      process: server,
      connect: (user, events) => connect(port, user, events),
    }
  },
}

export const prosody: ServerSubject = {
  remark: 'XMPP; network by epoll; offline messages in files; no acknowledgements',
  stores: true,
  async start(folder, users) {
    const port = await freePort()
    const config = join(folder, 'prosody.cfg.lua')
    mkdirSync(join(folder, 'data'))
    writeFileSync(config, PROSODY_CONFIG.replace('PORT', String(port)).replaceAll('FOLDER', folder))
    const server = await ServerProcess.start(
      { command: 'prosody', args: ['--config', config, '-F', '--root'] },
      port,
    )
    await registerAll(port, users)
    return {
      process: server,
      connect: (user, events) => connect(port, user, events),
    }
  },
}

/** A stream of stanzas, seen as text: what is waited for are well-known closing tags. */
class Stream {
  readonly socket: Socket
  onStanza: (text: string) => void = () => {}
  #text = ''
  #expected: { readonly pattern: RegExp; readonly found: (text: string) => void } | undefined

  constructor(socket: Socket) {
    this.socket = socket
    socket.setEncoding('latin1')
    socket.on('data', (data) => this.#receive(data.toString()))
  }

  write(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Sends something and waits for an answer that matches. */
  ask(text: string, pattern: RegExp): Promise<string> {
    return new Promise((resolve, reject) => {
      const closed = (): void => reject(new Error(`closed while waiting for ${pattern}`))
      this.socket.once('close', closed)
      const found = (answer: string): void => {
        this.socket.off('close', closed)
        resolve(answer)
      }
      this.#expected = { pattern, found }
      this.write(text)
    })
  }

  #receive(data: string): void {
    this.#text += data
    if (this.#expected) {
      const match = this.#expected.pattern.exec(this.#text)
      if (!match) return
      const { found } = this.#expected
      this.#expected = undefined
      this.#text = this.#text.slice(match.index + match[0].length)
      found(match[0])
    }
    for (let end = this.#text.indexOf('</message>'); end >= 0; ) {
      const stanza = this.#text.slice(0, end)
      this.#text = this.#text.slice(end + '</message>'.length)
      this.onStanza(stanza)
      end = this.#text.indexOf('</message>')
    }
  }
}

async function open(port: number): Promise<Stream> {
  const stream = new Stream(await dial(port))
  await stream.ask(HEADER, /<\/stream:features>/)
  return stream
}

async function registerAll(port: number, users: number): Promise<void> {
  const stream = await open(port)
  for (let user = 0; user < users; user++) {
    const query = `<username>${nameOf(user)}</username><password>${PASSWORD}</password>`
    const answer = await stream.ask(
      `<iq type='set' id='r${user}'><query xmlns='jabber:iq:register'>${query}</query></iq>`,
      new RegExp(`<iq[^>]*id=['"]r${user}['"][^>]*(/>|>.*?</iq>)`, 's'),
    )
    if (!/type=['"]result['"]/.test(answer)) throw new Error(`no account: ${answer}`)
  }
  stream.socket.destroy()
}

async function connect(port: number, user: number, { onMessage }: ClientEvents): Promise<Client> {
  const stream = await open(port)
  const plain = Buffer.from(`\0${nameOf(user)}\0${PASSWORD}`).toString('base64')
  const auth = `<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>${plain}</auth>`
  await stream.ask(auth, /<success[^>]*\/>|<success[^>]*><\/success>/)
  await stream.ask(HEADER, /<\/stream:features>/)
  const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'><resource>b</resource></bind>"
  await stream.ask(`<iq type='set' id='b'>${bind}</iq>`, /<iq.*?<\/iq>/s)
  stream.onStanza = () => onMessage()
  stream.write('<presence/>')
  return {
    send: (to) =>
      stream.write(
        `<message type='chat' to='${nameOf(to)}@${HOST}'><body>${BODY}</body></message>`,
      ),
    // Stanzas of one stream are handled in order. Any answer will do, a refusal, too.
    processed: async () => {
      const ping = `<iq type='get' to='${HOST}' id='p'><ping xmlns='urn:xmpp:ping'/></iq>`
      await stream.ask(ping, /<iq[^>]*id=['"]p['"].*?(\/>|<\/iq>)/s)
    },
    close: () =>
      new Promise((resolve) => {
        stream.socket.once('close', () => resolve())
        stream.socket.end('</stream:stream>')
        stream.socket.resume()
      }),
  }
}

function nameOf(user: number): string {
  return `u${user}`
}

const HEADER = `<?xml version='1.0'?><stream:stream to='${HOST}' version='1.0' xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams'>`
const PASSWORD = 'benchmark'
const BODY = randomBytes((PAYLOAD_BYTES * 3) / 4).toString('base64')

const EJABBERD_CONFIG = `
hosts: ["${HOST}"]
loglevel: warning
listen:
  - port: PORT
    ip: "127.0.0.1"
    module: ejabberd_c2s
    max_stanza_size: 262144
    shaper: none
    access: all
registration_timeout: infinity
modules:
  mod_offline:
    access_max_user_messages: all_messages
  mod_register:
    access: all
    ip_access: all
    password_strength: 0
shaper_rules:
  all_messages: infinity
`

const PROSODY_CONFIG = `
run_as_root = true
network_backend = "epoll"
data_path = "FOLDER/data"
pidfile = "FOLDER/prosody.pid"
log = { warn = "FOLDER/prosody.log" }
interfaces = { "127.0.0.1" }
c2s_ports = { PORT }
s2s_ports = { }
modules_enabled = { "roster", "saslauth", "disco", "register", "offline", "presence", "message", "iq" }
modules_disabled = { "s2s", "tls" }
allow_registration = true
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
authentication = "internal_plain"
storage = "internal"
VirtualHost "${HOST}"
`
