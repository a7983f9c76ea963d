import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../src/commands.ts'
import { EXIT_CODES } from '../src/exit-codes.ts'
import { commandHelp, generalHelp, TOPICS } from '../src/help.ts'
import { OPTIONS, type OptionName, variableOf } from '../src/options.ts'
import { parseCommandLine } from '../src/parse.ts'
import { STATE_WORDS } from '../src/states.ts'
import { run } from './run.ts'

const DOCUMENT = readFileSync(new URL('../../../docs/command-line.md', import.meta.url), 'utf8')
const OWN = COMMANDS.filter(({ passThrough }) => passThrough !== true)

test('help names every command', () => {
  const help = generalHelp()
  const width = Math.max(...COMMANDS.map(({ name }) => name.length))
  for (const { name, summary } of COMMANDS) {
    expect(help).toContain(`${name.padEnd(width)}  ${summary}`)
  }
})

describe.each(OWN)('help on $name', (command) => {
  const help = commandHelp(command)

  test('names every option, and fits a screen’s width', () => {
    for (const name of command.options) expect(help).toContain(`--${name}`)
    const tooLong = help
      .split('\n')
      .filter((line) => line.length > 80 && !line.startsWith('  couplet'))
    expect(tooLong).toEqual([])
  })

  test('has examples that parse', () => {
    expect(command.examples.length).toBeGreaterThan(0)
    for (const example of command.examples) {
      const words = shellWords(example.command)
      expect(parseCommandLine(words, {}).command?.name).toBe(command.name)
    }
  })

  test('is what --help prints', async () => {
    expect(await run([command.name, '--help'])).toEqual({
      exit: 0,
      output: `${help}\n`,
      errors: '',
    })
    expect((await run(['help', command.name])).output).toBe(`${help}\n`)
  })

  test('the document has a chapter on it', () => {
    expect(DOCUMENT).toContain(`### \`${command.name}`)
  })
})

test('the document names every option and every variable', () => {
  for (const name of Object.keys(OPTIONS) as OptionName[]) {
    expect(DOCUMENT).toContain(`--${name}`)
    const variable = variableOf(name)
    if (variable) expect(DOCUMENT).toContain(variable)
  }
})

test('topics', () => {
  for (const { exit, code } of EXIT_CODES) {
    expect(TOPICS['exit-codes']!()).toMatch(new RegExp(`^ +${exit} +${code} `, 'm'))
  }
  for (const words of Object.values(STATE_WORDS)) expect(TOPICS.states!()).toContain(words)
  expect(TOPICS.environment!()).toContain('COUPLET_NO_PASSPHRASE')
})

/** The words of the first `couplet` in a line of shell. */
function shellWords(line: string): string[] {
  const call = line.slice(line.indexOf('couplet ')).split(/ [|>] /)[0]!
  const words = call.replace(/\)"$/, '').match(/"[^"]*"|\S+/g) ?? []
  return words.slice(1).map((word) => word.replaceAll('"', ''))
}
