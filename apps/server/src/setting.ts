/** What is said about a setting, wherever it is in the tables. (settings.ts) */

export type SettingKind =
  | { readonly type: 'text' | 'path' | 'url' | 'origins' | 'addresses' | 'listener' }
  /** Whole numbers. */
  | { readonly type: 'integer'; readonly low: number; readonly high: number }
  | { readonly type: 'choice'; readonly choices: readonly string[] }
  | { readonly type: 'switch' }
  /** `60/1m`, or `off`: so many at once, and as many again in that time. */
  | { readonly type: 'limit' }
  /** A number, or `off`. */
  | { readonly type: 'count' }
  /** Never a flag: everybody on the machine can read those. `NAME-file` names a file with it. */
  | { readonly type: 'secret' }

export type Setting = SettingKind & {
  /** Flag without its hyphens, and key in the file. */
  readonly name: string
  /** How the help names the value. */
  readonly value?: string
  /** What holds without it, for people. */
  readonly standard?: string
  readonly help: string
  readonly group: string
  /** Shown by `--help`; the others are on the reference page. */
  readonly common?: true
}
