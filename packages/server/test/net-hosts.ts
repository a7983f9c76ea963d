/**
 * Machines for tests: network namespaces on one bridge, each with an address of its own, of which
 * any can be cut off from the others and from the test. Needs Linux and root.
 */
import { execFileSync } from 'node:child_process'
import { needPrograms } from '../../../test/debian.ts'

export interface NetHost {
  readonly address: string
  /** What a command begins with that runs there. */
  readonly within: readonly string[]
  /** Packets to it and from it vanish, and nobody is told. */
  cut(): void
  mend(): void
}

export interface Net {
  readonly hosts: readonly NetHost[]
  /** After everything that ran there has ended. */
  end(): void
}

export const canMakeNets: boolean = process.platform === 'linux' && process.getuid?.() === 0

export function makeNet(size: number): Net {
  needPrograms({ ip: 'iproute2' })
  const unique = `cpl${process.pid}`
  const bridge = `${unique}b`
  ip('link', 'add', bridge, 'type', 'bridge')
  ip('address', 'add', `${NETWORK}.254/24`, 'dev', bridge)
  ip('link', 'set', bridge, 'up')
  const names = Array.from({ length: size }, (_, index) => `${unique}n${index}`)
  const hosts = names.map((name, index) => makeHost(name, bridge, `${NETWORK}.${index + 1}`))
  return {
    hosts,
    end: () => {
      for (const name of names) ip('netns', 'del', name)
      ip('link', 'del', bridge)
    },
  }
}

function makeHost(name: string, bridge: string, address: string): NetHost {
  ip('netns', 'add', name)
  ip('link', 'add', name, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
  ip('link', 'set', name, 'master', bridge, 'up')
  ip('-n', name, 'address', 'add', `${address}/24`, 'dev', 'eth0')
  for (const device of ['lo', 'eth0']) ip('-n', name, 'link', 'set', device, 'up')
  return {
    address,
    within: ['ip', 'netns', 'exec', name],
    cut: () => ip('link', 'set', name, 'down'),
    mend: () => ip('link', 'set', name, 'up'),
  }
}

function ip(...args: readonly string[]): void {
  execFileSync('ip', args, { stdio: ['ignore', 'ignore', 'pipe'] })
}

/** One for each process: two runs on one machine must not take each other's packets. */
const NETWORK = `10.204.${process.pid % 250}`
