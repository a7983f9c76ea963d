/** What `couplet serve --help` prints, from the table of settings. */
import type { Setting } from './setting.ts'
import { SETTINGS } from './settings.ts'

export const HELP: string = `Usage: couplet serve [options]

Runs a Couplet server: registration, directory, a mailbox for each person.

${SETTINGS.filter((setting) => setting.common)
  .map(line)
  .join('\n')}
  ${'--config FILE'.padEnd(26)}settings from a TOML file
  ${'-h, --help'.padEnd(26)}this page; every setting: docs/configuration.md

Every option is also a variable (--port: COUPLET_PORT) and a key of the file. An
option wins over its variable, a variable over the file.
`

function line(setting: Setting): string {
  const { name, value, help, standard } = setting
  const flag = `--${name}${value ? ` ${value}` : ''}`
  return `  ${flag.padEnd(26)}${help}${standard && help.length < 42 - standard.length ? ` (${standard})` : ''}`
}
