import { describe, expect, test } from 'vitest'
import { COMMANDS } from '../src/commands.ts'
import { UsageError } from '../src/errors.ts'
import { OPTIONS, type OptionName, variableOf } from '../src/options.ts'
import { parseCommandLine, wantsJson } from '../src/parse.ts'

describe('the command line', () => {
  test.each<[words: string, command: string | undefined, operands: string[], options: object]>([
    ['', undefined, [], {}],
    ['--version', undefined, [], { version: true }],
    ['--home ./ana register +12025550101', 'register', ['+12025550101'], { home: './ana' }],
    ['register --home=./ana +12025550101', 'register', ['+12025550101'], { home: './ana' }],
    [
      'send +12025550102 Yes. --wait delivered',
      'send',
      ['+12025550102', 'Yes.'],
      { wait: 'delivered' },
    ],
    ['send +12025550102 -- --wait', 'send', ['+12025550102', '--wait'], {}],
    ['receive -fq --timeout 1.5', 'receive', [], { follow: true, quiet: true, timeout: 1.5 }],
    ['contacts accept +12025550102', 'contacts', ['accept', '+12025550102'], {}],
    ['send --help', 'send', [], { help: true }],
  ])('%s', (words, command, operands, options) => {
    const invocation = parseCommandLine(words.split(' ').filter(Boolean), {})
    expect(invocation.command?.name).toBe(command)
    expect(invocation.operands).toEqual(operands)
    expect(invocation.options).toEqual(options)
  })

  test.each<[words: string, sentence: RegExp]>([
    ['sned +12025550102 Hi', /Did you mean “send”/],
    ['frobnicate', /there is no command “frobnicate”/],
    ['receive --folow', /Did you mean “--follow”/],
    ['receive --wait sent', /has no option --wait/],
    ['completion', /SHELL is missing/],
    ['send +12025550102 Dinner at eight?', /Put the text in quotes/],
    ['send +12025550102 Hi --wait read', /sent or delivered, not “read”/],
    ['send +12025550102 Hi --timeout soon', /number of seconds/],
    ['send +12025550102 Hi --timeout 0', /number of seconds/],
    ['register +12025550101 --code --json', /--code needs a value/],
    ['register +12025550101 --code', /--code needs a value/],
    ['receive --follow=yes', /takes no value/],
    ['--home ./ana serve', /stand after the command/],
    ['-x', /there is no option -x/],
  ])('refuses: %s', (words, sentence) => {
    const parse = () => parseCommandLine(words.split(' '), {})
    expect(parse).toThrow(UsageError)
    expect(parse).toThrow(sentence)
  })

  test('hands the words of serve over as they are', () => {
    const words = ['serve', '--port', '8081', '--code-sender', 'file:codes', '--help']
    const { command, options, rest } = parseCommandLine(words, { COUPLET_JSON: '1' })
    expect(command?.name).toBe('serve')
    expect(rest).toEqual(words.slice(1))
    expect(options).toEqual({ json: true })
  })

  test('knows that errors are wanted as JSON before it can parse', () => {
    expect(wantsJson(['sned', '--json'], {})).toBe(true)
    expect(wantsJson(['send', '+12025550102', '--', '--json'], {})).toBe(false)
    expect(wantsJson(['sned'], { COUPLET_JSON: '1' })).toBe(true)
  })
})

test('what somebody could be asked for is left to the caller', () => {
  const { missing } = parseCommandLine(['send'], {})
  expect(missing).toMatchObject({ name: 'NUMBER', question: expect.stringContaining('Number') })
  expect(parseCommandLine(['send', '+12025550102'], {}).missing).toBeUndefined()
})

describe('environment variables', () => {
  const settings = (Object.keys(OPTIONS) as OptionName[]).filter((name) => variableOf(name))

  test('every option but the two questions has one', () => {
    const without = (Object.keys(OPTIONS) as OptionName[]).filter((name) => !variableOf(name))
    expect(without).toEqual(['help', 'version'])
  })

  test.each(settings)('%s', (name) => {
    const command = COMMANDS.find(({ options }) => options.includes(name))!
    const operands = command.operands.filter(({ optional }) => !optional).map(() => 'x')
    const spec = OPTIONS[name]
    const [text, value] = {
      flag: ['1', true] as const,
      text: ['given', 'given'] as const,
      seconds: ['7', 7] as const,
      duration: ['2h', 7_200_000] as const,
      choice: ['delivered', 'delivered'] as const,
    }[spec.kind]
    const words = [command.name, ...operands]
    expect(parseCommandLine(words, { [variableOf(name)!]: text }).options).toEqual({
      [name]: value,
    })
    expect(parseCommandLine(words, { [variableOf(name)!]: '' }).options).toEqual({})
    if (spec.kind !== 'flag') return
    expect(parseCommandLine(words, { [variableOf(name)!]: '0' }).options).toEqual({})
    expect(() => parseCommandLine(words, { [variableOf(name)!]: 'maybe' })).toThrow(UsageError)
  })

  test('the command line wins', () => {
    const environment = { COUPLET_HOME: './ben', COUPLET_TIMEOUT: '5' }
    const { options } = parseCommandLine(['--home', './ana', 'receive'], environment)
    expect(options).toEqual({ home: './ana', timeout: 5 })
  })

  test('one of another command is nobody’s business', () => {
    expect(parseCommandLine(['status'], { COUPLET_WAIT: 'never' }).options).toEqual({})
  })
})
