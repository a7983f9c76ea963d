/**
 * The packages as they are published: packed, installed by npm into an empty project and as a command,
 * and used from JavaScript on three versions of Node, from TypeScript, and in a page that Vite builds.
 */
import { execFile, execFileSync, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import { build } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { PUBLISHED, packAll } from '../../scripts/pack.ts'
import { startChromium } from '../browser/chromium.ts'
import { needPrograms } from '../debian.ts'
import { TestPerson, TestServer, until } from '../people.ts'
import { NODE_22, NODE_24, nodeOf } from './node-versions.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const LIBRARIES = PUBLISHED.slice(0, 4)
/** What every TypeScript project on Node has. */
const TYPES_OF_NODE = `@types/node@${versionHere('@types/node')}`
const FIXTURES = join(import.meta.dirname, 'fixtures')
const folder = mkdtempSync(join(tmpdir(), 'couplet-packages-'))
const project = join(folder, 'project')
const prefix = join(folder, 'global')
let files: readonly string[] = []

beforeAll(async () => {
  files = await packAll(join(folder, 'packed'))
  cpSync(FIXTURES, project, { recursive: true })
  mkdirSync(prefix)
  // Side by side: each waits for the registry most of its time.
  await Promise.all([
    npm(project, 'install', ...files.slice(0, LIBRARIES.length), TYPES_OF_NODE),
    npm(prefix, 'install', '--global', '--prefix', prefix, ...files),
  ])
}, 400_000)

afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function npm(cwd: string, command: string, ...args: readonly string[]): Promise<void> {
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  await promisify(execFile)('npm', [command, ...quiet, '--prefer-offline', ...args], {
    cwd,
    env: { ...process.env, PATH: withNode(process.execPath) },
  })
}

function withNode(node: string): string {
  return `${dirname(node)}:${process.env.PATH ?? ''}`
}

function run(program: string, args: readonly string[], cwd = project): string {
  return execFileSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: withNode(process.execPath), HOME: folder },
  })
}

function versionHere(name: string): string {
  return manifest(join(import.meta.dirname, '..', '..', 'node_modules', name)).version
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly files: readonly string[]
}

function manifest(path: string): Manifest {
  return JSON.parse(readFileSync(join(path, 'package.json'), 'utf8')) as Manifest
}

describe.each(PUBLISHED)('%s', (source) => {
  const { name, files: published } = manifest(join(ROOT, source))
  const installed = join(prefix, 'lib', 'node_modules', name)

  test('what is published is what its manifest says, and no test', () => {
    const inside = readdirSync(installed)
    for (const each of ['README.md', 'LICENSE', 'dist']) expect(inside).toContain(each)
    const allowed = new Set([...published, 'package.json', 'LICENSE', 'node_modules'])
    expect(inside.filter((each) => !allowed.has(each))).toEqual([])
    // A condition of ours would lead whoever uses it to sources that Node does not run from there.
    expect(readFileSync(join(installed, 'package.json'), 'utf8')).not.toContain('"source"')
  })

  test('publint has nothing to say', async () => {
    const { messages, pkg } = await publint({ pkgDir: installed, strict: true, pack: false })
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([])
  })
})

test.each(LIBRARIES.map((source, index) => [source, index] as const))(
  '%s: types are found and are those of what runs (are the types wrong?)',
  (_source, index) => {
    const attw = join(ROOT, 'node_modules/@arethetypeswrong/cli/dist/index.js')
    const args = [attw, files[index]!, '--profile', 'esm-only', '--format', 'ascii', '--no-color']
    const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' })
    expect({ status, stderr }, stdout).toEqual({ status: 0, stderr: '' })
  },
)

describe('JavaScript: two people, and a message that is proven to have arrived', () => {
  test('on the Node that Couplet runs on', () => {
    expect(run(process.execPath, ['talk.mjs'])).toBe('Hello\ndelivered\n')
  })

  test('on Node 24', () => {
    expect(run(nodeOf(NODE_24), ['talk.mjs'])).toBe('Hello\ndelivered\n')
  }, 300_000)

  test('on Node 22, with the primitives of browsers', async () => {
    const server = await new TestServer().start()
    const codes = createServer(({ url = '' }, response) => {
      response.end(server.codes.get(url.slice(1)))
    }).listen(0, 'localhost')
    try {
      await once(codes, 'listening')
      const { port } = codes.address() as AddressInfo
      const args = ['talk-web.mjs', server.url, `http://localhost:${port}`]
      const { stdout } = await promisify(execFile)(nodeOf(NODE_22), args, { cwd: project })
      expect(stdout).toBe('Hello\ndelivered\n')
    } finally {
      codes.close()
      await server.stop()
    }
  }, 300_000)
})

test('TypeScript: the declarations are found and strict, and the READMEs say what compiles', () => {
  const examples = LIBRARIES.flatMap(examplesOf)
  expect(examples.length).toBeGreaterThanOrEqual(LIBRARIES.length)
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  for (const resolution of [
    ['--module', 'nodenext'],
    ['--module', 'esnext', '--moduleResolution', 'bundler'],
  ]) {
    const strict = ['--ignoreConfig', '--noEmit', '--strict', '--target', 'es2023']
    const types = ['--lib', 'es2024,dom,dom.iterable', '--types', 'node']
    const args = [tsc, ...strict, ...types, ...resolution, 'use.ts', ...examples]
    const { stdout } = spawnSync(process.execPath, args, { cwd: project, encoding: 'utf8' })
    expect(stdout).toBe('')
  }
})

/** The code in a package's README, as modules of the project. */
function examplesOf(source: string): string[] {
  const readme = readFileSync(join(ROOT, source, 'README.md'), 'utf8')
  return Array.from(readme.matchAll(/^```[jt]s\n(.*?)^```$/gms), ([, code], index) => {
    const name = `readme-${basename(source)}-${index}.mts`
    // What the text around it speaks of.
    writeFileSync(join(project, name), `declare const signedRecord: Uint8Array\n${code}`)
    return name
  })
}

test('a page that Vite builds registers in Chromium, and sends', async () => {
  const page = join(project, 'page')
  await build({ root: page, logLevel: 'error', build: { outDir: join(page, 'dist') } })
  const server = await new TestServer({ webFolder: join(page, 'dist') }).start()
  const browser = await startChromium()
  try {
    const ben = await TestPerson.register(server, '+12025550102')
    const tab = await browser.context.newPage()
    await tab.exposeFunction('codeOf', (phone: string) => server.codes.get(phone))
    await tab.goto(server.url)
    await until(async () => (await tab.title()) === 'sent', 60_000)
    expect((await ben.receive()).map(({ text }) => text)).toEqual(['Hello from a page'])
    await until(async () => (await tab.title()) === 'delivered', 60_000)
  } finally {
    await browser.close()
    await server.stop()
  }
})

describe('the command, installed for everybody', () => {
  const bin = join(prefix, 'bin', 'couplet')

  test('says its version, completes, and has an exit code', () => {
    expect(run(bin, ['--version'])).toBe(`${manifest(join(ROOT, 'apps/cli')).version}\n`)
    expect(run(bin, ['completion', 'bash'])).toContain('complete -F _couplet couplet')
    const { status, stderr } = spawnSync(bin, ['--home', './none', 'status'], {
      cwd: folder,
      encoding: 'utf8',
      env: { PATH: withNode(process.execPath), HOME: folder },
    })
    expect(status).toBe(66)
    expect(stderr).toContain('nobody is registered in this home yet')
  })

  test('plays the whole story', () => {
    const [result] = run(bin, ['demo', '--fast', '--json'], folder).trim().split('\n')
    expect(JSON.parse(result!)).toMatchObject({ type: 'demo', ok: true, delivered: 5 })
  })

  test('has the web client for its server, and a man page without a flaw', () => {
    const modules = join(prefix, 'lib', 'node_modules')
    expect(existsSync(join(modules, '@couplet/server-app/web/index.html'))).toBe(true)
    needPrograms({ groff: 'groff-base' })
    const man = join(prefix, 'share', 'man', 'man1', 'couplet.1')
    const lint = ['-man', '-Tutf8', '-Kutf8', '-ww', '-z', man]
    const { status, stderr } = spawnSync('groff', lint, { encoding: 'utf8' })
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
    expect(readFileSync(man, 'utf8')).toContain('change\\-number')
  })

  test('says so on a Node that is too old for it', () => {
    const { status, stderr } = spawnSync(nodeOf(NODE_22), [bin, 'status'], { encoding: 'utf8' })
    expect(status).toBe(69)
    expect(stderr).toContain('couplet needs Node 24.15 or newer; this is 22.')
  }, 300_000)
})
