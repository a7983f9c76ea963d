/**
 * The packages as they are published: packed, unpacked into a project of their own, and used from
 * JavaScript, from TypeScript and as a command. Libraries of others come from this repository's
 * node_modules, so no registry is asked.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')
const PACKAGES = [
  'packages/wire',
  'packages/protocol',
  'packages/client',
  'packages/server',
  'apps/server',
  'apps/cli',
] as const
let project: string

beforeAll(() => {
  const cache = join(ROOT, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  project = mkdtempSync(join(cache, 'packages-'))
  execFileSync(
    process.execPath,
    [join(ROOT, 'node_modules/typescript/bin/tsc'), '-b', ...PACKAGES],
    {
      cwd: ROOT,
    },
  )
  writeFileSync(join(project, 'package.json'), '{"type":"module","private":true}\n')
  for (const folder of PACKAGES) unpack(folder)
}, 300_000)

afterAll(() => rmSync(project, { recursive: true, force: true }))

function unpack(folder: string): void {
  const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', project]
  const file = execFileSync('npm', pack, { cwd: join(ROOT, folder), encoding: 'utf8' }).trim()
  const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
    name: string
  }
  const target = join(project, 'node_modules', manifest.name)
  mkdirSync(target, { recursive: true })
  execFileSync('tar', ['-xzf', join(project, file), '--strip-components=1', '-C', target])
}

function run(program: string, args: readonly string[]): string {
  const { PATH = '' } = process.env
  return execFileSync(program, args, {
    cwd: project,
    encoding: 'utf8',
    env: { PATH, HOME: project },
  })
}

test('what is published is compiled, and nothing else: no sources that need a condition, no tests', () => {
  for (const folder of PACKAGES) {
    const { name, files } = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    ) as {
      name: string
      files: readonly string[]
    }
    const inside = readdirSync(join(project, 'node_modules', name))
    expect(inside).toContain('dist')
    const allowed = new Set([...files, 'package.json', 'LICENSE'])
    expect(
      inside.filter((each) => !allowed.has(each)),
      name,
    ).toEqual([])
  }
})

test('JavaScript: a server, a registration, and a message that is proven to have arrived', () => {
  writeFileSync(
    join(project, 'use.mjs'),
    `import { createServer } from '@couplet/server'
import { beginRegistration, completeRegistration, openCouplet } from '@couplet/client/node'
const codes = new Map()
const codeSender = { development: true, send: async (phone, code) => void codes.set(phone, code) }
const server = await createServer({ port: 0, codeSender })
const people = []
for (const phone of ['+12025550101', '+12025550102']) {
  const home = './home' + phone
  await beginRegistration({ home, phone, server: 'http://localhost:' + server.port })
  await completeRegistration({ home, code: codes.get(phone) })
  const couplet = await openCouplet({ home })
  await couplet.connect()
  people.push(couplet)
}
const [ana, ben] = people
const { delivered } = await ana.send(ben.phone, 'Hello')
for await (const message of ben.messages()) {
  console.log(message.text)
  break
}
console.log((await delivered).state)
for (const each of people) await each.close()
await server.close()
`,
  )
  expect(run(process.execPath, ['use.mjs'])).toBe('Hello\ndelivered\n')
})

test('TypeScript: the declarations are found and strict', () => {
  writeFileSync(
    join(project, 'use.ts'),
    `import type { Couplet, IncomingMessage } from '@couplet/client'
import { openCouplet } from '@couplet/client/node'
import { createIdentity } from '@couplet/protocol'
import { webPrimitives } from '@couplet/protocol/web'
import { createServer } from '@couplet/server'
import { parsePhoneNumber } from '@couplet/wire'
export async function first(home: string): Promise<IncomingMessage | undefined> {
  const couplet: Couplet = await openCouplet({ home })
  for await (const message of couplet.messages({ follow: false })) return message
  return undefined
}
// @ts-expect-error a home is named by text
void openCouplet({ home: 1 })
export const all = [createIdentity, webPrimitives, createServer, parsePhoneNumber]
`,
  )
  const settings = [
    '--ignoreConfig',
    '--noEmit',
    '--strict',
    '--module',
    'nodenext',
    '--target',
    'es2023',
    '--types',
    'node',
  ]
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  const { stdout } = spawnSync(process.execPath, [tsc, ...settings, 'use.ts'], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(stdout).toBe('')
})

test('the command', () => {
  const bin = join(project, 'node_modules/@couplet/cli/bin/couplet.mjs')
  const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/cli/package.json'), 'utf8')) as {
    version: string
  }
  expect(run(process.execPath, [bin, '--version'])).toBe(`${version}\n`)
  expect(run(process.execPath, [bin, 'completion', 'bash'])).toContain(
    'complete -F _couplet couplet',
  )
  expect(run(process.execPath, [bin, 'serve', '--help'])).toContain('--port')
  const { status, stderr } = spawnSync(process.execPath, [bin, '--home', './none', 'status'], {
    cwd: project,
    encoding: 'utf8',
  })
  expect(status).toBe(66)
  expect(stderr).toContain('nobody is registered in this home yet')
})
