/**
 * Builds the web client when its sources are not those of the build that is there. Run by
 * `npm start`, and by the tests before they open a browser.
 *
 *     node --conditions=source apps/web/build.ts
 *
 * The build goes to a folder of its own and takes the place of the old one in one step, so that a
 * server that starts meanwhile finds a whole one. Each file that compresses well gets a `.br` and a
 * `.gz` beside it: the server sends them as they are.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'
import { build } from 'vite'

const HERE = import.meta.dirname
const ROOT = join(HERE, '..', '..')
/** Where the built client lies. */
export const WEB_FOLDER: string = join(HERE, 'dist')

/** What the build is made of, beside the lock file. */
const SOURCES = [
  'apps/web/src',
  'apps/web/public',
  'apps/web/index.html',
  'apps/web/vite.config.ts',
  'apps/web/build.ts',
  'packages/wire/src',
  'packages/protocol/src',
  'packages/client/src',
  'package-lock.json',
]
const STAMP = '.sources'
const COMPRESSED: ReadonlySet<string> = new Set(['.html', '.js', '.css', '.svg', '.webmanifest'])

/** @returns whether something had to be built. */
export async function buildWebClient(): Promise<boolean> {
  const stamp = stampOfSources()
  const isCurrent = () => readText(join(WEB_FOLDER, STAMP)) === stamp
  if (isCurrent()) return false
  const environment = process.env.NODE_ENV
  const folder = await mkdtemp(join(HERE, 'dist-'))
  try {
    // Tests say `test` here, which would build React as for development.
    process.env.NODE_ENV = 'production'
    await build({
      configFile: join(HERE, 'vite.config.ts'),
      logLevel: 'error',
      build: { outDir: folder, emptyOutDir: true },
    })
    await compressAll(folder)
    await writeFile(join(folder, STAMP), stamp)
    // Made for its owner alone; a server may run as somebody else.
    await chmod(folder, 0o755)
    // Two may build at once: whoever is second finds the same files there.
    while (!isCurrent()) await takePlace(folder)
  } finally {
    if (environment === undefined) delete process.env.NODE_ENV
    else process.env.NODE_ENV = environment
    await rm(folder, { recursive: true, force: true })
  }
  return true
}

/** Each of the two steps is one step for everybody else; between them another build may slip in. */
async function takePlace(folder: string): Promise<void> {
  const old = `${folder}-old`
  try {
    await rename(WEB_FOLDER, old).catch(ignore('ENOENT'))
    await rename(folder, WEB_FOLDER).catch(ignore('ENOTEMPTY', 'EEXIST', 'EPERM'))
  } finally {
    await rm(old, { recursive: true, force: true })
  }
}

function ignore(...codes: readonly string[]): (error: NodeJS.ErrnoException) => void {
  return (error) => {
    if (!codes.includes(error.code ?? '')) throw error
  }
}

/** A hash of all sources: times of files say nothing after a checkout. */
function stampOfSources(): string {
  const hash = createHash('sha256')
  for (const source of SOURCES) {
    for (const file of filesOf(join(ROOT, source))) {
      hash.update(file.slice(ROOT.length)).update('\0').update(readFileSync(file)).update('\0')
    }
  }
  return hash.digest('hex')
}

function filesOf(path: string): string[] {
  if (extname(path)) return [path]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted()
}

async function compressAll(folder: string): Promise<void> {
  const files = filesOf(folder).filter((file) => COMPRESSED.has(extname(file)))
  await Promise.all(
    files.map(async (file) => {
      const content = await readFile(file)
      const [br, gz] = await Promise.all([
        promisify(brotliCompress)(content, BROTLI_OPTIONS),
        promisify(gzip)(content, { level: 9 }),
      ])
      await Promise.all([writeFile(`${file}.br`, br), writeFile(`${file}.gz`, gz)])
    }),
  )
}

function readText(file: string): string | undefined {
  return existsSync(file) ? readFileSync(file, 'utf8') : undefined
}

/** Quality 11 takes ten times as long for a few percent. */
const BROTLI_OPTIONS = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } }

if (import.meta.main) {
  const started = Date.now()
  if (await buildWebClient()) {
    const seconds = ((Date.now() - started) / 1000).toFixed(1)
    process.stderr.write(`couplet: built the web client in ${seconds} s\n`)
  }
}
