/**
 * Programs that tests need from the system: those that are there, or Debian's packages, installed
 * when this is root on Debian. Never silently none.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

/** Makes sure that every program can be started; keys are programs, values Debian's packages. */
export function needPrograms(programs: Readonly<Record<string, string>>): void {
  const missing = Object.keys(programs).filter((program) => !isThere(program))
  if (missing.length === 0) return
  if (process.getuid?.() === 0 && existsSync('/etc/debian_version')) {
    const packages = [...new Set(missing.map((program) => programs[program]!))]
    const lock = ['-o', 'DPkg::Lock::Timeout=300']
    aptGet([...lock, 'update', '-q'])
    aptGet([...lock, 'install', '-y', '-q', '--no-install-recommends', ...packages])
  }
  const still = missing.filter((program) => !isThere(program))
  if (still.length > 0) {
    throw new Error(`needs ${still.join(', ')}: install them (in Debian the packages of that name)`)
  }
}

function isThere(program: string): boolean {
  return spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
}

function aptGet(args: readonly string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
}
