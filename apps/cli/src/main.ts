/** The program `couplet`. */
import { enableCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

// Compiled code is kept for the next start, which halves it. In the user's own folder: whoever can
// write there is trusted already, which cannot be said of Node's choice, the temporary folder.
enableCompileCache(join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'couplet'))
const { runCli } = await import('./cli.ts')

// Whoever reads may go away (`couplet receive | head -1`): the write that fails says so, once.
process.stdout.on('error', () => {})
process.stderr.on('error', () => {})
// What a command waits for may be nothing that keeps a process alive: a timer of the SDK, say.
const awake = setInterval(() => {}, 2 ** 30)

process.exitCode = await runCli(process.argv.slice(2), process.env, {
  input: process.stdin,
  output: process.stdout,
  errors: process.stderr,
})
clearInterval(awake)
// Everything is closed by now. If something was forgotten, it must not keep the program alive.
setTimeout(() => process.exit(), 1000).unref()
