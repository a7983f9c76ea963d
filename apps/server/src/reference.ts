/** The reference page of the configuration, made from the table of settings. */
import type { Setting } from './setting.ts'
import { SETTINGS, variableOf } from './settings.ts'

export function referencePage(): string {
  const groups = [...new Set(SETTINGS.map(({ group }) => group))]
  return `# Configuration

<!-- Made from apps/server/src/settings.ts: node --conditions=source apps/server/src/write-reference.ts -->

Every setting can be an option of \`couplet serve\`, a variable, or a key of a TOML file that
\`--config FILE\` or \`COUPLET_CONFIG\` names. An option wins over its variable, a variable over the file,
the file over the default. In the file, \`[smtp]\` with \`host = "…"\` is the same as \`smtp-host = "…"\`.

Secrets are never options, which everybody on the machine can read: they are a variable, a key of the
file, or the content of the file that \`NAME-file\` names.

A limit is like \`60/1m\`: 60 at once, and 60 more in a minute; or \`off\`. Whoever hits one hears how long
to wait; a message stays pending in its sender's outbox, and is not lost.

Limits hold for the service as a whole, whatever number of workers or nodes it has: those that guard codes
are in the store, and of the others the processes tell each other. What one process gave is known to the next
a moment later, so many requests at one moment may get through a little beyond a limit. Only the two numbers
of connections are counted by each process alone.

${groups.map(section).join('\n')}`
}

function section(group: string): string {
  const rows = SETTINGS.filter((setting) => setting.group === group).map(row)
  return `## ${group}

| option | variable | default | |
|---|---|---|---|
${rows.join('\n')}
`
}

function row({ name, type, value, standard, help }: Setting): string {
  const option = type === 'secret' ? `--${name}-file FILE` : `--${name}${value ? ` ${value}` : ''}`
  const usual = standard ?? (type === 'switch' ? 'off' : '')
  return `| \`${option}\` | \`${variableOf(name)}\` | ${usual && `\`${usual}\``} | ${help} |`
}
