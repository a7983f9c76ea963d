/** The scripts of `couplet completion`, in the shells that they are for. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { needPrograms } from '../../../test/debian.ts'
import { Tmux } from '../../../test/tmux.ts'
import { run } from './run.ts'

const FOLDER = mkdtempSync(join(tmpdir(), 'couplet-completion-'))

beforeAll(async () => {
  needPrograms({ bash: 'bash', zsh: 'zsh', fish: 'fish' })
  for (const shell of ['bash', 'zsh', 'fish']) {
    const { exit, output } = await run(['completion', shell])
    expect(exit).toBe(0)
    writeFileSync(join(FOLDER, shell), output)
  }
})

afterAll(() => rmSync(FOLDER, { recursive: true, force: true }))

/** A line up to the cursor, and words that must and must not be offered. */
const CASES = [
  ['se', ['send', 'serve', 'settings'], ['receive']],
  ['send --w', ['--wait'], ['--follow']],
  ['send --wait ', ['sent', 'delivered'], ['send']],
  ['--home x requests ', ['accept', 'block'], ['register']],
  ['contacts acc', ['accept'], ['block']],
  ['settings ', ['receipts', 'strangers', 'timer'], []],
  ['completion ', ['bash', 'zsh', 'fish'], []],
] as const

describe.each(['bash', 'fish'] as const)('%s', (shell) => {
  test.each(CASES)('%j', (line, offered, withheld) => {
    const words = complete[shell](line)
    for (const word of offered) expect(words).toContain(word)
    for (const word of withheld) expect(words).not.toContain(word)
  })
})

test('zsh', async () => {
  const tmux = Tmux.create()
  try {
    const pane = tmux.start(['zsh', '-f'], { env: { PS1: '> ' } })
    await pane.shows('>')
    pane.type(`autoload -U compinit && compinit -D && source ${join(FOLDER, 'zsh')} && clear`)
    pane.press('Enter')
    await pane.until((screen) => screen.trim() === '>', 'is clear')
    pane.type('couplet send --wait d')
    pane.press('Tab')
    await pane.shows('couplet send --wait delivered')
    pane.press('C-u')
    pane.type('couplet req')
    pane.press('Tab')
    await pane.shows('couplet requests')
    pane.type(' ')
    pane.press('Tab', 'Tab')
    await pane.shows(/accept +block/)
  } finally {
    tmux.end()
  }
})

test('another shell is refused by name', async () => {
  const { exit, errors } = await run(['completion', 'tcsh'])
  expect(exit).toBe(64)
  expect(errors).toContain('bash, zsh, fish')
})

const complete = {
  bash(line: string): readonly string[] {
    const words = ['couplet', ...line.split(' ')].map((word) => `'${word}'`)
    const script = [
      `source ${join(FOLDER, 'bash')}`,
      `COMP_WORDS=(${words.join(' ')}) COMP_CWORD=${words.length - 1}`,
      '_couplet',
      `printf '%s\\n' "\${COMPREPLY[@]}"`,
    ]
    return lines('bash', ['--norc', '-c', script.join('\n')])
  },
  fish(line: string): readonly string[] {
    const script = `source ${join(FOLDER, 'fish')}; complete -C 'couplet ${line}'`
    // A tab stands between a word and its description.
    return lines('fish', ['--no-config', '-c', script]).map((each) => each.split('\t')[0]!)
  },
}

function lines(program: string, args: readonly string[]): readonly string[] {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', cwd: FOLDER })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  return stdout.split('\n').filter((line) => line !== '')
}
