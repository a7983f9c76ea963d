/**
 * `npm run pack`: everything that is published, as files of npm, in `dist-packages/`. Compiles the
 * packages, builds the web client and puts it beside the server that sends it, makes few files of the
 * command line, and writes the man page.
 *
 *     npm i -g dist-packages/*.tgz
 */
import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { manPage } from '../apps/cli/src/man.ts'
import { buildWebClient, WEB_FOLDER } from '../apps/web/build.ts'
import { bundleCommandLine } from './bundle.ts'

const ROOT = dirname(import.meta.dirname)

/** Folders of the packages that are published, in the order of who needs whom. */
export const PUBLISHED = [
  'packages/wire',
  'packages/protocol',
  'packages/client',
  'packages/server',
  'apps/server',
  'apps/cli',
] as const

/** @returns paths of the packed files, in the order of PUBLISHED. */
export async function packAll(into: string): Promise<readonly string[]> {
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
  execFileSync(process.execPath, [tsc, '-b', ...PUBLISHED], { cwd: ROOT, stdio: 'inherit' })
  await buildWebClient()
  mkdirSync(into, { recursive: true })
  const packed: string[] = []
  for (const folder of PUBLISHED) packed.push(await pack(folder, into))
  return packed
}

/**
 * From a copy, so that nothing here changes: the licence comes along, and the condition `source` stays
 * behind, since Node does not strip types in `node_modules`. The sources themselves are there for maps.
 */
async function pack(folder: string, into: string): Promise<string> {
  const copy = mkdtempSync(join(tmpdir(), 'couplet-pack-'))
  try {
    const manifest = JSON.parse(
      readFileSync(join(ROOT, folder, 'package.json'), 'utf8'),
    ) as Manifest
    for (const name of manifest.files) {
      const make = MADE[`${folder}/${name}`]
      if (make) await make(join(copy, name), manifest)
      else
        cpSync(join(ROOT, folder, name), join(copy, name), { recursive: true, filter: isPublished })
    }
    cpSync(join(ROOT, 'LICENSE'), join(copy, 'LICENSE'))
    for (const conditions of Object.values(manifest.exports ?? {})) delete conditions.source
    writeFileSync(join(copy, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`)
    const args = ['pack', '--ignore-scripts', '--silent', '--pack-destination', into]
    const options = { cwd: copy, encoding: 'utf8', shell: WINDOWS } as const
    return join(into, execFileSync('npm', args, options).trim())
  } finally {
    rmSync(copy, { recursive: true, force: true })
  }
}

interface Manifest {
  readonly files: readonly string[]
  dependencies?: Record<string, string>
  readonly exports?: Record<string, { source?: string }>
}

function isPublished(path: string): boolean {
  return !path.endsWith('.tsbuildinfo') && !path.endsWith('tsconfig.json')
}

/** What is published and lies nowhere in this repository, at least not in the form that is published. */
const MADE: Readonly<Record<string, (target: string, manifest: Manifest) => void | Promise<void>>> =
  {
    // Without what only the next build needs.
    'apps/server/web': (target) =>
      cpSync(WEB_FOLDER, target, { recursive: true, filter: (path) => !path.endsWith('.sources') }),
    'apps/cli/dist': async (target, manifest) => {
      const beside = await bundleCommandLine(target)
      const dependencies = Object.entries(manifest.dependencies ?? {})
      manifest.dependencies = Object.fromEntries(
        dependencies.filter(([name]) => beside.includes(name)),
      )
    },
    'apps/cli/man': (target) => {
      mkdirSync(target)
      writeFileSync(join(target, 'couplet.1'), manPage())
    },
  }

const WINDOWS = process.platform === 'win32'

if (import.meta.main) {
  const into = join(ROOT, 'dist-packages')
  rmSync(into, { recursive: true, force: true })
  for (const file of await packAll(into)) process.stdout.write(`${file}\n`)
  const { version } = JSON.parse(readFileSync(join(ROOT, 'apps/cli/package.json'), 'utf8')) as {
    version: string
  }
  process.stdout.write(`Version ${version}. To try it: npm i -g ${join(into, '*.tgz')}\n`)
}
