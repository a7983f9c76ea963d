/** `couplet.1`, made from the same tables as `--help`. (man(7)) */
import { COMMANDS, type Command } from './commands.ts'
import { EXIT_CODES } from './exit-codes.ts'
import { OPTIONS, type OptionName, variableOf } from './options.ts'
import { usageOf } from './parse.ts'
import { STATE_MEANINGS, STATE_WORDS } from './states.ts'
import { version } from './version.ts'

/** The page in roff. The same for the same version: it has no date. */
export function manPage(): string {
  return [
    `.TH COUPLET 1 "" "Couplet ${version()}" "User Commands"`,
    section('NAME', ['couplet \\- private messages; the server remembers two']),
    section('SYNOPSIS', ['.B couplet', '.I COMMAND', '[\\fIOPTIONS\\fR]']),
    section('DESCRIPTION', paragraphs(DESCRIPTION)),
    section('COMMANDS', COMMANDS.flatMap(commandLines)),
    section('OPTIONS', [
      text('Which of them a command takes is said there. The command line wins over the variable.'),
      ...(Object.keys(OPTIONS) as OptionName[]).flatMap(optionLines),
    ]),
    section(
      'STATES OF A MESSAGE',
      (Object.keys(STATE_WORDS) as (keyof typeof STATE_WORDS)[]).flatMap((state) =>
        tagged(bold(STATE_WORDS[state]), STATE_MEANINGS[state]),
      ),
    ),
    section(
      'EXIT STATUS',
      EXIT_CODES.flatMap(({ exit, code, meaning }) => tagged(bold(`${exit} ${code}`), meaning)),
    ),
    section('ENVIRONMENT', [
      ...tagged(bold('NO_COLOR'), 'No colours.'),
      ...tagged(bold('COUPLET_DEBUG=1'), 'Shows where an unforeseen error came from.'),
      text('Every option has a variable; see OPTIONS.'),
    ]),
    section('FILES', tagged(italic('~/.local/share/couplet'), HOME)),
  ].join('\n')
}

function commandLines(command: Command): readonly string[] {
  const { name, summary, description, options, examples, passThrough } = command
  const [, ...operands] = usageOf(command).split(' ')
  const usage = [bold(`couplet ${name}`), ...operands.map(italic)].join(' ')
  const own = passThrough
    ? `Its options: couplet ${name} --help.`
    : `Options: ${options.map((option) => `--${option}`).join(', ')}.`
  const shown = examples.flatMap(({ command: line, says }) => [
    ...(says === '' ? [] : [text(`# ${says}`)]),
    text(line),
  ])
  return [
    '.TP',
    usage,
    text(`${summary}.`),
    ...description.flatMap(inset),
    ...inset(own),
    ...(shown.length > 0 ? ['.IP', '.EX', ...shown, '.EE'] : []),
  ]
}

function optionLines(name: OptionName): readonly string[] {
  const spec = OPTIONS[name]
  const value = spec.kind === 'flag' ? '' : ` ${italic(spec.placeholder)}`
  const short = spec.short === undefined ? '' : `${bold(`-${spec.short}`)}, `
  const variable = variableOf(name)
  const also = variable === undefined ? '' : ` (${variable})`
  return tagged(`${short}${bold(`--${name}`)}${value}`, `${spec.help}.${also}`)
}

function section(title: string, lines: readonly string[]): string {
  return [`.SH ${title}`, ...lines].join('\n')
}

function tagged(tag: string, what: string): readonly string[] {
  return ['.TP', tag, text(what)]
}

function paragraphs(all: readonly string[]): readonly string[] {
  return all.flatMap((each) => ['.PP', text(each)])
}

/** A paragraph within a tagged one. */
function inset(paragraph: string): readonly string[] {
  return ['.IP', text(paragraph)]
}

function bold(words: string): string {
  return `\\fB${text(words)}\\fR`
}

function italic(words: string): string {
  return `\\fI${text(words)}\\fR`
}

/** As roff reads it back: no line begins with a request, and hyphens can be copied. */
function text(words: string): string {
  return words.replaceAll('\\', '\\e').replaceAll('-', '\\-').replace(/^[.']/, '\\&$&')
}

const DESCRIPTION = [
  'Couplet is a private messenger for two: end-to-end encrypted, by phone number, through a server that keeps at most two messages for each person. A message stays, encrypted, in its sender’s outbox until the recipient’s device has proven that it has it.',
  'Data goes to standard output, talk to standard error. With --json both carry one JSON object a line, and nobody is asked anything.',
]
const HOME = 'The home: keys, people and messages of one identity, encrypted. --home names another.'
