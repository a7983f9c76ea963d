/**
 * A real Chromium for tests: the one that `CHROMIUM_PATH` names, the system's, or Debian's package,
 * installed when this is root on Debian. Never silently none.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type BrowserContext, chromium } from 'playwright-core'

export interface TestBrowser {
  readonly context: BrowserContext
  close(): Promise<void>
}

/**
 * Starts Chromium.
 *
 * @param kept - folder of a profile that stays; left out, it has one of its own, removed afterwards.
 */
export async function startChromium(kept?: string): Promise<TestBrowser> {
  const profile = kept ?? (await mkdtemp(join(tmpdir(), 'couplet-chromium-')))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath(),
    headless: true,
    args: [...CHROMIUM_ARGUMENTS],
  })
  return {
    context,
    close: async () => {
      await context.close()
      if (!kept) await rm(profile, { recursive: true, force: true })
    },
  }
}

/** @throws when there is none and none can be installed; the words say what to do. */
export function chromiumPath(): string {
  const named = process.env.CHROMIUM_PATH
  if (named) {
    if (!starts(named)) throw new Error(`CHROMIUM_PATH is ${named}, which does not start`)
    return named
  }
  const found = NAMES.find(starts)
  if (found) return found
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    run('apt-get', ['update', '-q'])
    run('apt-get', ['install', '-y', '-q', '--no-install-recommends', 'chromium'])
    if (starts('/usr/bin/chromium')) return '/usr/bin/chromium'
  }
  throw new Error(
    `needs Chromium: none of ${NAMES.join(', ')} starts. Install the package chromium, or set CHROMIUM_PATH.`,
  )
}

function starts(path: string): boolean {
  return existsSync(path) && spawnSync(path, ['--version'], { timeout: 20_000 }).status === 0
}

function run(program: string, args: readonly string[]): void {
  const environment = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync(program, args, { stdio: ['ignore', 'ignore', 'inherit'], env: environment })
}

/** Nothing of its own on the network, and no sandbox where root would not get one. */
export const CHROMIUM_ARGUMENTS: readonly string[] = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--no-first-run',
]

const NAMES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/chromium-headless-shell',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
