/** `couplet completion bash|zsh|fish`: the tables of commands and options as a script. */
import { COMMANDS } from '../commands.ts'
import type { Context } from '../context.ts'
import { UsageError } from '../errors.ts'
import { OPTIONS, type OptionName } from '../options.ts'

export async function run({ operands, terminal }: Context): Promise<number> {
  const shell = operands[0]!
  const script = SCRIPTS[shell]
  if (!script) {
    throw new UsageError(
      `there is no completion for “${shell}”: it is ${Object.keys(SCRIPTS).join(', ')}.`,
    )
  }
  await terminal.print(script())
  return 0
}

const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish }

/** The word before the cursor decides first, then the command, then how many operands there were. */
function bash(): string {
  return `# couplet: completion for bash. In ~/.bashrc: eval "$(couplet completion bash)"
_couplet() {
  local word=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]}
  local command='' operands=0 index=1 words=''
  while [ $index -lt $COMP_CWORD ]; do
    case \${COMP_WORDS[index]} in
      ${VALUED.join('|')}) index=$((index + 1)) ;;
      -*) ;;
      *) if [ -z "$command" ]; then command=\${COMP_WORDS[index]}; else operands=$((operands + 1)); fi ;;
    esac
    index=$((index + 1))
  done
  case $previous in
${optionCases(
  (values) => `words='${values.join(' ')}'`,
  (kind) => `COMPREPLY=($(compgen ${kind === 'FOLDER' ? '-d' : '-f'} -- "$word")); return`,
)}
    *) case $command:$operands:$word in
      :*:-*) words='${GLOBAL.join(' ')}' ;;
      :*) words='${COMMANDS.map(({ name }) => name).join(' ')}' ;;
${commandCases((pattern, words) => `      ${pattern}) words='${words.join(' ')}' ;;`)}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "$word"))
}
complete -F _couplet couplet`
}

function zsh(): string {
  const described = COMMANDS.map(
    ({ name, summary }) => `    '${name}:${plain(summary).replaceAll(':', '\\:')}'`,
  )
  return `#compdef couplet
# couplet: completion for zsh. In ~/.zshrc, after compinit: eval "$(couplet completion zsh)"
_couplet() {
  local word=\${words[CURRENT]} previous=\${words[CURRENT-1]}
  local command='' operands=0 index=2
  local -a commands candidates
  commands=(
${described.join('\n')}
  )
  while (( index < CURRENT )); do
    case \${words[index]} in
      ${VALUED.join('|')}) (( index++ )) ;;
      -*) ;;
      *) if [[ -z $command ]]; then command=\${words[index]}; else (( operands++ )); fi ;;
    esac
    (( index++ ))
  done
  case $previous in
${optionCases(
  (values) => `candidates=(${values.join(' ')})`,
  (kind) => `_files${kind === 'FOLDER' ? ' -/' : ''}; return`,
)}
    *) case $command:$operands:$word in
      :*:-*) candidates=(${GLOBAL.join(' ')}) ;;
      :*) _describe command commands; return ;;
${commandCases((pattern, words) => `      ${pattern}) candidates=(${words.join(' ')}) ;;`)}
    esac ;;
  esac
  compadd -a candidates
}
compdef _couplet couplet`
}

function fish(): string {
  const lines = ['# couplet: completion for fish', 'complete -c couplet -f']
  for (const { name, summary } of COMMANDS) {
    lines.push(`complete -c couplet -n __fish_use_subcommand -a ${name} -d '${plain(summary)}'`)
  }
  for (const command of COMMANDS) {
    const within = `-n '__fish_seen_subcommand_from ${command.name}'`
    for (const operand of command.operands) {
      if (operand.values)
        lines.push(`complete -c couplet ${within} -a '${operand.values.join(' ')}'`)
    }
    for (const option of command.options)
      lines.push(`complete -c couplet ${within} ${fishOption(option)}`)
  }
  return lines.join('\n')
}

function fishOption(name: OptionName): string {
  const spec = OPTIONS[name]
  const short = spec.short === undefined ? '' : ` -s ${spec.short}`
  const value =
    spec.kind === 'flag'
      ? ''
      : spec.kind === 'choice'
        ? ` -x -a '${spec.choices.join(' ')}'`
        : FILES.has(spec.placeholder)
          ? ' -r -F'
          : ' -x'
  return `-l ${name}${short}${value} -d '${plain(spec.help)}'`
}

/** Cases for the values of options. */
function optionCases(
  choose: (values: readonly string[]) => string,
  files: (placeholder: string) => string,
): string {
  const cases: string[] = []
  for (const name of Object.keys(OPTIONS) as OptionName[]) {
    const spec = OPTIONS[name]
    if (spec.kind === 'flag') continue
    const then =
      spec.kind === 'choice'
        ? choose(spec.choices)
        : FILES.has(spec.placeholder)
          ? files(spec.placeholder)
          : 'return'
    cases.push(`    --${name}) ${then} ;;`)
  }
  return cases.join('\n')
}

/** Cases for the options and operands of commands. */
function commandCases(line: (pattern: string, words: readonly string[]) => string): string {
  const lines: string[] = []
  for (const { name, options, operands } of COMMANDS) {
    const flags = options.map((option) => `--${option}`)
    if (flags.length > 0) lines.push(line(`${name}:*:-*`, flags))
    for (const [index, { values }] of operands.entries()) {
      if (name === 'help')
        lines.push(line(`${name}:0:*`, [...COMMANDS.map((each) => each.name), ...(values ?? [])]))
      else if (values) lines.push(line(`${name}:${index}:*`, values))
    }
  }
  return lines.join('\n')
}

function plain(text: string): string {
  return text.replaceAll("'", '’')
}

const GLOBAL = ['--help', '--version', '--home', '--json', '--quiet']
/** Options that take the next word. */
const VALUED = (Object.keys(OPTIONS) as OptionName[])
  .filter((name) => OPTIONS[name].kind !== 'flag')
  .map((name) => `--${name}`)
/** Placeholders of options whose values are paths. */
const FILES: ReadonlySet<string> = new Set(['FILE', 'FOLDER'])
