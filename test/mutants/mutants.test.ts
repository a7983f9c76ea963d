/**
 * The list of mutants fits the code: each applies where it says, and the test that should notice it
 * is there. That they are noticed is seen by `npm run mutants`, which takes too long for every run;
 * here it is tried with one that is, and one that is not.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { edited, mutant, SOURCE, TEST } from './mutant.ts'
import { MUTANTS } from './mutants.ts'
import { tryOut } from './try-out.ts'

const ROOT = join(import.meta.dirname, '..', '..')

describe('mutants', () => {
  test.each(MUTANTS)('$name: applies once, and its test is there', ({ edits, killedBy }) => {
    for (const edit of edits) {
      const before = readFileSync(join(ROOT, 'packages', edit.file), 'utf8')
      expect(edited(ROOT, edit)).not.toBe(before)
    }
    const [file, name] = killedBy
    expect([file, testsIn(file).includes(name)]).toEqual([file, true])
  })

  test('each has a name of its own', () => {
    expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length)
  })

  test('one that nothing notices survives, others are killed, and no trace is left', () => {
    const noticed = mutant(
      'EtM compares no tag',
      [SOURCE.etm, 'if (!equalBytes(expected, sealed.subarray(body.length)))', 'if (!expected)'],
      [TEST.etm, 'a change of any bit'],
    )
    const unnoticed = { ...noticed, killedBy: [TEST.etm, 'opens to what was sealed'] } as const
    const broken = { ...noticed, killedBy: [TEST.etm, 'no test has this name'] } as const
    const verdicts = tryOut([noticed, unnoticed, broken], () => {})
    expect(verdicts).toEqual(['killed', 'survived', 'broken'])
  })
})

describe('ATTACKS.md', () => {
  const rows = readFileSync(join(import.meta.dirname, 'ATTACKS.md'), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('| attack'))
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .map(([, attack, tests, faults]) => ({ attack: attack!, tests: tests!, faults: faults! }))

  test('has a row for each attack', () => {
    expect(rows.length).toBeGreaterThan(25)
  })

  test.each(rows)('$attack: its tests and mutants are there', ({ tests, faults }) => {
    let file: string = TEST.attacks
    for (const [, named, part] of tests.matchAll(/`([^`]+)`|“([^”]+)”/g)) {
      if (named) file = fileNamed(named)
      else expect([file, part, testsIn(file).includes(part!)]).toEqual([file, part, true])
    }
    const names = MUTANTS.map(({ name }) => name)
    for (const [, part] of faults.matchAll(/“([^”]+)”/g)) expect(names).toContain(part)
    expect(faults).toMatch(/“/)
  })
})

const KNOWN_ANSWERS = 'packages/protocol/test/known-answers.ts'
const TEXTS = new Map<string, string>()

function testsIn(file: string): string {
  const known = TEXTS.get(file)
  if (known !== undefined) return known
  // The names of these are those of the files of vectors.
  const files = file === TEST.vectors ? [file, KNOWN_ANSWERS] : [file]
  const text = files
    .map((each) => readFileSync(join(ROOT, each), 'utf8'))
    .join('\n')
    .replaceAll(/\\(['`])/g, '$1')
  TEXTS.set(file, text)
  return text
}

function fileNamed(name: string): string {
  const known = Object.values(TEST).find((file) => file.endsWith(`/${name}`))
  if (!known) throw new Error(`${name} is no test file of mutant.ts`)
  return known
}
