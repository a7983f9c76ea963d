/** Holds the code to docs/ARCHITECTURE.md: who may import whom, and what must not be there. */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..')

/** Package folder → the packages of ours that it may import. The table of docs/ARCHITECTURE.md. */
const MAY_IMPORT: Record<string, readonly string[]> = {
  'packages/wire': [],
  'packages/protocol': ['@couplet/wire'],
  'packages/client': ['@couplet/wire', '@couplet/protocol'],
  'packages/server': ['@couplet/wire'],
  'apps/server': ['@couplet/wire', '@couplet/server'],
  'apps/cli': ['@couplet/wire', '@couplet/protocol', '@couplet/client', '@couplet/server-app'],
  'apps/docs': [],
  'apps/web': ['@couplet/wire', '@couplet/protocol', '@couplet/client'],
}

describe('the dependency graph is the trust model', () => {
  test.each(Object.entries(MAY_IMPORT))('%s imports only what it may', (folder, allowed) => {
    for (const { file, specifier } of importsOf(folder)) {
      if (!specifier.startsWith('@couplet/')) continue
      const name = specifier.split('/').slice(0, 2).join('/')
      expect(allowed, `${file} imports ${specifier}`).toContain(name)
    }
  })

  test.each(Object.entries(MAY_IMPORT))('%s declares only what it may', (folder, allowed) => {
    const ours = Object.keys(manifest(folder).dependencies ?? {}).filter((name) =>
      name.startsWith('@couplet/'),
    )
    expect(allowed).toEqual(expect.arrayContaining(ours))
  })

  test('the server cannot decrypt: nothing that it depends on, at any depth, is protocol or client', () => {
    const reached = new Set<string>()
    const visit = (name: string) => {
      if (reached.has(name)) return
      reached.add(name)
      for (const next of Object.keys(manifest(folderOf(name)).dependencies ?? {})) {
        if (next.startsWith('@couplet/')) visit(next)
      }
    }
    visit('@couplet/server')
    visit('@couplet/server-app')
    expect([...reached].toSorted()).toEqual([
      '@couplet/server',
      '@couplet/server-app',
      '@couplet/wire',
    ])
  })

  test('relative imports stay inside their package', () => {
    for (const folder of Object.keys(MAY_IMPORT)) {
      for (const { file, specifier } of importsOf(folder)) {
        if (!specifier.startsWith('.')) continue
        const target = relative(join(ROOT, folder), join(dirname(file), specifier))
        expect(target.startsWith('..'), `${file} imports ${specifier}`).toBe(false)
      }
    }
  })
})

describe('the pure core', () => {
  const environment =
    /\b(?:Date\.now|Math\.random|setTimeout|setInterval|process\.|console\.|fetch\()/

  test.each(['packages/wire', 'packages/protocol'])(
    '%s reads no clock and does no I/O',
    (folder) => {
      for (const file of sourcesOf(folder)) {
        if (/\/src\/(?:node|web)\//.test(file)) continue
        const code = withoutComments(readFileSync(file, 'utf8'))
        expect(environment.test(code), file).toBe(false)
        expect(/from 'node:/.test(code), file).toBe(false)
      }
    },
  )

  test('nothing that is shipped asks Math.random for anything', () => {
    for (const folder of Object.keys(MAY_IMPORT)) {
      for (const file of sourcesOf(folder)) {
        expect(readFileSync(file, 'utf8').includes('Math.random('), file).toBe(false)
      }
    }
  })
})

describe('the house', () => {
  test('every package of the code map is there, and every package is in the code map', () => {
    const page = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8')
    const found = ['packages', 'apps'].flatMap((parent) =>
      readdirSync(join(ROOT, parent)).map((name) => `${parent}/${name}`),
    )
    expect(found.toSorted()).toEqual(Object.keys(MAY_IMPORT).toSorted())
    for (const folder of found) expect(page).toContain(`../${folder})`)
  })

  test('every file of wire, protocol and client is named in the code map', () => {
    const page = readFileSync(join(ROOT, 'docs/ARCHITECTURE.md'), 'utf8')
    for (const folder of ['packages/wire', 'packages/protocol', 'packages/client']) {
      const missing = readdirSync(join(ROOT, folder, 'src'))
        .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
        .map((name) => name.slice(0, -3))
        .filter((name) => !page.includes(`\`${name}\``))
      expect(missing, folder).toEqual([])
    }
  })

  test('nothing runs at install, and the lock file names no registry', () => {
    const lock = readFileSync(join(ROOT, 'package-lock.json'), 'utf8')
    expect(lock).not.toMatch(/"resolved": "http/)
    const scripts = [...lock.matchAll(/"hasInstallScript": true/g)]
    // fsevents, on macOS, for the development tools: optional, and never run.
    expect(scripts.length).toBeLessThanOrEqual(1)
  })
})

interface Import {
  readonly file: string
  readonly specifier: string
}

function importsOf(folder: string): Import[] {
  return sourcesOf(folder).flatMap((file) => {
    const code = withoutComments(readFileSync(file, 'utf8'))
    const found = code.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)
    return [...found].map((match) => ({ file, specifier: match[1]! }))
  })
}

function sourcesOf(folder: string): string[] {
  return readdirSync(join(ROOT, folder, 'src'), { recursive: true, encoding: 'utf8' })
    .filter((name) => /\.tsx?$/.test(name))
    .map((name) => join(ROOT, folder, 'src', name))
}

function withoutComments(code: string): string {
  return code.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '')
}

function manifest(folder: string): { name: string; dependencies?: Record<string, string> } {
  return JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8')) as {
    name: string
    dependencies?: Record<string, string>
  }
}

function folderOf(name: string): string {
  const folder = Object.keys(MAY_IMPORT).find((candidate) => manifest(candidate).name === name)
  if (!folder) throw new Error(`no package ${name}`)
  return folder
}
