/**
 * Every setting, once: from these tables come the flags, the variables, the keys of the file, the
 * help, and the reference page docs/configuration.md.
 */
import type { Setting } from './setting.ts'
import { CODE_SETTINGS, type CodeSettingName } from './settings-codes.ts'
import { LIMIT_SETTINGS, type LimitSettingName } from './settings-limits.ts'
import { SERVER_SETTINGS, type ServerSettingName } from './settings-server.ts'

export type SettingName = ServerSettingName | CodeSettingName | LimitSettingName

export const SETTINGS: readonly (Setting & { readonly name: SettingName })[] = [
  ...SERVER_SETTINGS,
  ...CODE_SETTINGS,
  ...LIMIT_SETTINGS,
]

export function settingNamed(name: string): Setting {
  return SETTINGS.find((setting) => setting.name === name)!
}

export function variableOf(name: string): string {
  return `COUPLET_${name.toUpperCase().replaceAll('-', '_')}`
}
