/**
 * `npm run model`: checks the formal models of the protocol with Maude and SPIN. One line for each
 * property, mutant and limit; exit code 0 only if all came out as they should.
 *
 *   npm run model [-- [--full] [--only handshake|delivery]]
 *
 * Without `--full` the bounds are such that it takes about a minute of one core. With it, the same
 * claims are checked for more messages, users and sessions, which takes a few minutes.
 *
 * What the runs mean is written in spec/models/README.md, the runs themselves in `runs.json` beside
 * each model. The tools are installed by apt when they are missing, this is Debian and we are root.
 */
import { spawn, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'

/**
 * `property`: nothing bad is reachable. `sanity`: something good is, without which a model proves
 * nothing. `mutant`: a rule is taken away, and the attack must be found. `limit`: an attack that the
 * threat model names, and that must be found, too.
 */
type Kind = 'property' | 'sanity' | 'mutant' | 'limit'

interface HandshakeRun {
  readonly kind: Kind
  /** What the intruder knows at the start. */
  readonly knows: string
  /** Who is there; one search for each. */
  readonly starts: readonly string[]
  /** With `--full`, these as well. */
  readonly more?: readonly string[]
  /** What is looked for: predicate of the model, and its name in words. */
  readonly goals: Readonly<Record<string, string>>
  readonly weak?: readonly string[]
  readonly broken?: readonly string[]
}

interface DeliveryRun {
  readonly kind: Kind
  readonly name: string
  readonly defines: readonly string[]
  /** `safety`: assertions only. Otherwise the LTL property of this name, and the assertions. */
  readonly check: string
  /** `medium` is worth an optimizing compiler, `large` is only for `--full`. Small without it. */
  readonly size?: 'medium' | 'large'
}

interface Options {
  readonly models: readonly Model[]
  readonly isFull: boolean
}

interface Finding {
  readonly found: boolean
  readonly states: number
}

interface Result {
  /** Undefined when the tool did not come to an answer; `trouble` says why. */
  readonly finding?: Finding
  readonly seconds: number
  readonly trouble?: string
}

interface Line extends Result {
  readonly kind: Kind
  readonly name: string
}

type Model = 'handshake' | 'delivery'
type Task = () => Promise<readonly Line[]>

const MODELS = join(dirname(import.meta.dirname), 'spec', 'models')
const TOOLS: Record<Model, readonly string[]> = {
  handshake: ['maude'],
  delivery: ['spin', 'gcc', 'cpp', 'tcc'],
}
const RUN_LIMIT_MS = 600_000
const MEMORY_LIMIT_MB = 2048
const MAX_DEPTH = 200_000
/** Enough for every small run; a search that is deeper says so, and fails. */
const SMALL_DEPTH = 20_000
const SMALL_HASH_BITS = 18

async function main(): Promise<void> {
  const options = readArguments(process.argv.slice(2))
  requireTools(options.models.flatMap((model) => TOOLS[model]))
  const folder = await mkdtemp(join(tmpdir(), 'couplet-model-'))
  try {
    await checkAll(options, folder)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function checkAll({ models, isFull }: Options, folder: string): Promise<void> {
  const pool = new Pool(Math.min(4, availableParallelism()))
  const results: { readonly model: Model; readonly lines: Promise<readonly Line[]> }[] = []
  for (const model of models) {
    const make = model === 'handshake' ? handshakeTasks : deliveryTasks
    for (const task of await make(folder, isFull)) results.push({ model, lines: pool.run(task) })
  }
  let failed = 0
  let passed = 0
  for (const { model, lines } of results) {
    for (const line of await lines) {
      const isGood = line.finding?.found === (line.kind !== 'property')
      if (isGood) passed++
      else failed++
      process.stdout.write(`${isGood ? 'ok  ' : 'FAIL'} ${model}  ${describe(line)}\n`)
    }
  }
  process.stdout.write(`\n${passed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 && passed > 0 ? 0 : 1
}

function describe({ kind, name, finding, seconds, trouble }: Line): string {
  if (!finding) return `${name}: no answer (${trouble})`
  const { found, states } = finding
  const cost = `${states.toLocaleString('en-US')} states, ${seconds.toFixed(1)} s`
  switch (kind) {
    case 'property':
      return `${name} (${found ? 'ATTACK FOUND' : 'no attack'}, ${cost})`
    case 'sanity':
      return `can happen: ${name} (${found ? 'reached' : 'NOT REACHED'}, ${cost})`
    case 'mutant':
      return `mutant ${name}: ${found ? 'attack found' : 'NO ATTACK FOUND'} (${cost})`
    case 'limit':
      return `limit ${name}: ${found ? 'attack found, as documented' : 'NO ATTACK FOUND'} (${cost})`
  }
}

// -------------------------------------------------------------------------------------------------
// Handshake: Maude

async function handshakeTasks(folder: string, isFull: boolean): Promise<readonly Task[]> {
  const runs = await readRuns<HandshakeRun>('handshake')
  return runs.map((run, index) => {
    const starts = isFull ? [...run.starts, ...(run.more ?? [])] : run.starts
    return () => searchAll({ ...run, starts }, join(folder, `handshake-${index}.maude`))
  })
}

/** All goals in one search; if that finds something, one for each, to know which. */
async function searchAll(run: HandshakeRun, file: string): Promise<readonly Line[]> {
  const goals = Object.keys(run.goals)
  const together = await search(run, goals, file)
  const lines: Line[] = []
  for (const goal of goals) {
    const isClear = together.finding?.found === false || goals.length === 1
    const result = isClear ? together : await search(run, [goal], file)
    lines.push({ kind: run.kind, name: run.goals[goal]!, ...result })
  }
  return lines
}

async function search(run: HandshakeRun, goals: readonly string[], file: string): Promise<Result> {
  const looksFor = goals.map((goal) => `${goal}(S:State)`).join(' or-else ')
  await writeFile(
    file,
    [
      `load ${join(MODELS, 'handshake', 'handshake.maude')}`,
      'mod RUN is including GOALS .',
      ...(run.weak ?? []).map((weakness) => `  eq weak(${weakness}) = true .`),
      ...(run.broken ?? []).map((primitive) => `  eq broken(${primitive}) = true .`),
      'endm',
      ...run.starts.map(
        (start) =>
          `search [1] in RUN : start(${run.knows}, ${start}) =>* S:State such that ${looksFor} .`,
      ),
      'quit',
      '',
    ].join('\n'),
  )
  const { output, seconds, trouble } = await execute('maude', ['-no-banner', file], dirname(file))
  const answers = [...output.matchAll(/^(No solution\.|Solution 1 )/gm)]
  const states = [...output.matchAll(/^states: (\d+)/gm)].reduce((sum, [, n]) => sum + Number(n), 0)
  // A warning means that a line of the model was not understood, and so left out.
  const isWhole = answers.length === run.starts.length && !/Warning|Error/.test(output)
  if (trouble || !isWhole) return { seconds, trouble: trouble ?? firstComplaint(output) }
  return { finding: { found: answers.some(([text]) => text.startsWith('S')), states }, seconds }
}

// -------------------------------------------------------------------------------------------------
// Delivery: SPIN

async function deliveryTasks(folder: string, isFull: boolean): Promise<readonly Task[]> {
  const runs = await readRuns<DeliveryRun>('delivery')
  const chosen = runs.filter(({ size }) => isFull || size !== 'large')
  return chosen.map((run, index) => async () => {
    const { kind, name } = run
    return [{ kind, name, ...(await verify(run, join(folder, `delivery-${index}`))) }]
  })
}

async function verify(run: DeliveryRun, build: string): Promise<Result> {
  await mkdir(build)
  await copyFile(join(MODELS, 'delivery', 'delivery.pml'), join(build, 'delivery.pml'))
  const isSafety = run.check === 'safety'
  const isSmall = run.size === undefined
  const bounds = ['-DCOLLAPSE', '-DNFAIR=4', '-DVECTORSZ=2048', `-DMEMLIM=${MEMORY_LIMIT_MB}`]
  const claims = isSafety ? ['-DSAFETY', '-DNOCLAIM'] : []
  // Most searches are short, and an optimizing compiler would take longer than all of them.
  const [compiler, optimize] = isSmall ? (['tcc', []] as const) : (['gcc', ['-O2']] as const)
  const depth = isSmall ? [`-m${SMALL_DEPTH}`, `-w${SMALL_HASH_BITS}`] : [`-m${MAX_DEPTH}`]
  const options = isSafety ? ['-E'] : ['-a', '-f', '-N', run.check]
  const steps: readonly (readonly [string, readonly string[]])[] = [
    ['spin', ['-a', ...run.defines.map((define) => `-D${define}`), 'delivery.pml']],
    [compiler, [...optimize, '-w', ...bounds, ...claims, '-o', 'pan', 'pan.c']],
    [join(build, 'pan'), [...depth, ...options]],
  ]
  let total = 0
  let last = ''
  for (const [program, args] of steps) {
    const { output, seconds, trouble } = await execute(program, args, build)
    total += seconds
    last = output
    if (trouble) return { seconds: total, trouble }
  }
  await rm(build, { recursive: true, force: true })
  return { seconds: total, ...verdict(last) }
}

function verdict(output: string): Pick<Result, 'finding' | 'trouble'> {
  const errors = Number(/errors: (\d+)/.exec(output)?.[1] ?? Number.NaN)
  const states = Number(/^\s*(\d+) states, stored/m.exec(output)?.[1] ?? Number.NaN)
  if (Number.isNaN(errors) || Number.isNaN(states)) return { trouble: firstComplaint(output) }
  // Only a search that went everywhere says that there is nothing.
  const isCutShort = /max search depth too small|out of memory|reached -DMEMLIM/.test(output)
  if (errors === 0 && isCutShort) return { trouble: 'the search was cut short' }
  // A bound that was too small for the model is no attack.
  if (/assertion violated \(\(xE\//.test(output)) return { trouble: 'G is too small' }
  return { finding: { found: errors > 0, states } }
}

// -------------------------------------------------------------------------------------------------
// Running

async function readRuns<T>(model: Model): Promise<readonly T[]> {
  return JSON.parse(await readFile(join(MODELS, model, 'runs.json'), 'utf8')) as readonly T[]
}

interface Executed {
  readonly output: string
  readonly seconds: number
  readonly trouble?: string
}

function execute(program: string, args: readonly string[], cwd: string): Promise<Executed> {
  const began = performance.now()
  const parts: string[] = []
  return new Promise((resolve) => {
    const child = spawn(program, args, { cwd, stdio: ['ignore', 'pipe', 'pipe'] })
    const timer = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS)
    const end = (trouble?: string) => {
      clearTimeout(timer)
      const seconds = (performance.now() - began) / 1000
      const output = parts.join('')
      resolve(trouble === undefined ? { output, seconds } : { output, seconds, trouble })
    }
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => parts.push(text))
    }
    child.on('error', (error) => end(error.message))
    child.on('close', (code, signal) => {
      if (code === 0) end()
      else if (signal) end(`${program} was ended by ${signal}`)
      else end(`${program} ended with ${code}: ${firstComplaint(parts.join(''))}`)
    })
  })
}

function firstComplaint(output: string): string {
  const lines = output.split('\n').filter((line) => line.trim() !== '')
  return lines.find((line) => /warning|error/i.test(line)) ?? lines.at(-1) ?? 'no output'
}

/** So many at once; in the order in which they were asked for. */
class Pool {
  readonly #waiting: (() => void)[] = []
  #free: number

  constructor(size: number) {
    this.#free = size
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free--
    else await new Promise<void>((resolve) => this.#waiting.push(resolve))
    try {
      return await task()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#free++
    }
  }
}

// -------------------------------------------------------------------------------------------------
// Arguments and tools

function readArguments(args: readonly string[]): Options {
  const isFull = args.includes('--full')
  const others = args.filter((argument) => argument !== '--full')
  if (others.length === 0) return { models: ['handshake', 'delivery'], isFull }
  const [option, value] = others
  if (option === '--only' && others.length === 2) {
    if (value === 'handshake' || value === 'delivery') return { models: [value], isFull }
  }
  process.stderr.write('usage: npm run model [-- [--full] [--only handshake|delivery]]\n')
  process.exit(64)
}

/** Installs what is missing, or says what to install and ends. Nothing is ever skipped. */
function requireTools(tools: readonly string[]): void {
  if (tools.every(isThere)) return
  const isDebian = existsSync('/etc/debian_version') && isThere('apt-get')
  if (isDebian && process.getuid?.() === 0) {
    process.stderr.write(`installing ${PACKAGES.join(', ')} …\n`)
    // apt's own words go to standard error: standard output belongs to the results.
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    spawnSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 2, 2], env })
    spawnSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...PACKAGES], {
      stdio: ['ignore', 2, 2],
      env,
    })
  }
  const missing = tools.filter((tool) => !isThere(tool))
  if (missing.length === 0) return
  process.stderr.write(
    `missing: ${missing.join(', ')}. The models need Maude 3.2 or newer, SPIN 6.5, gcc and tcc;\n` +
      `on Debian or Ubuntu: apt-get install ${PACKAGES.join(' ')}\n`,
  )
  process.exit(1)
}

function isThere(tool: string): boolean {
  return (process.env.PATH ?? '')
    .split(':')
    .some((directory) => directory !== '' && existsSync(join(directory, tool)))
}

const PACKAGES: readonly string[] = ['maude', 'spin', 'gcc', 'cpp', 'tcc', 'libc6-dev']

await main()
