/**
 * What we are compared with: installed the first time a benchmark runs, at exact versions, into the
 * benchmark's own folder. Nothing of it is a dependency of the product.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { env, execPath } from 'node:process'

/** Installs the packages of `folder`, the first time and when their list has changed. */
export function installPeers(folder: string, tell: (message: string) => void): void {
  const lock = readFileSync(join(folder, 'package-lock.json'))
  const wanted = createHash('sha256').update(lock).digest('hex')
  const stamp = join(folder, 'node_modules', '.couplet-install')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return

  tell('installing what we are compared with (once) …')
  const args = ['ci', '--ignore-scripts', '--workspaces=false', '--loglevel=error']
  const script = env.npm_execpath
  const result = script?.endsWith('.js')
    ? spawnSync(execPath, [script, ...args], { cwd: folder, stdio: ['ignore', 2, 2] })
    : spawnSync(`npm ${args.join(' ')}`, { cwd: folder, stdio: ['ignore', 2, 2], shell: true })
  if (result.status !== 0) throw new Error('npm could not install it; see above')
  writeFileSync(stamp, wanted)
}
