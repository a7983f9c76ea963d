/**
 * Words in the user's language. Keys and their placeholders are checked by the compiler; plurals
 * follow the rules of each language (`Intl.PluralRules`). Only English is part of the first load.
 */
import { createContext, useContext } from 'react'
import { en } from './en.ts'

export type Key = keyof typeof en
type Text = string | { readonly [Form in Intl.LDMLPluralRule]?: string }
/** A language: the same keys as English, each with text or with forms for counts. */
export type Catalogue = CatalogueOf<typeof en>
/** The same for one area of it. */
export type CatalogueOf<English> = {
  readonly [K in keyof English]: English[K] extends string ? string : PluralForms
}
export type PluralForms = { readonly other: string } & {
  readonly [Form in Intl.LDMLPluralRule]?: string
}

type Names<T extends string> = T extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never
type TextOf<K extends Key> = (typeof en)[K] extends { readonly other: infer T extends string }
  ? T
  : (typeof en)[K] & string
type CountOf<K extends Key> = (typeof en)[K] extends string ? never : 'count'
type Fields<K extends Key> = Names<TextOf<K>> | CountOf<K>
type Values<K extends Key> = { readonly [Name in Fields<K>]: string | number }

/** `words('chat.gap', { count: 3, name: 'Ana' })` */
export type Words = <K extends Key>(
  key: K,
  ...values: [Fields<K>] extends [never] ? [] : [Values<K>]
) => string

export interface Language {
  /** BCP 47. */
  readonly tag: string
  readonly direction: 'ltr' | 'rtl'
  readonly words: Words
}

/** Every language that there is, by its own name. */
export const LANGUAGES: readonly { readonly tag: string; readonly name: string }[] = [
  { tag: 'en', name: 'English' },
  { tag: 'de', name: 'Deutsch' },
  { tag: 'ar', name: 'العربية' },
]

const LOADERS: Readonly<Record<string, () => Promise<Catalogue>>> = {
  en: async () => en,
  de: async () => (await import('./de.ts')).de,
  ar: async () => (await import('./ar.ts')).ar,
}

/** The best of our languages for what the browser's user reads. */
export function preferredLanguage(wanted: readonly string[]): string {
  const ours = wanted.map((tag) => tag.split('-', 1)[0]!.toLowerCase())
  return ours.find((tag) => tag in LOADERS) ?? 'en'
}

export async function loadLanguage(tag: string): Promise<Language> {
  const known = tag in LOADERS ? tag : 'en'
  return languageOf(known, await LOADERS[known]!())
}

export function languageOf(tag: string, catalogue: Catalogue): Language {
  const plurals = new Intl.PluralRules(tag)
  const numbers = new Intl.NumberFormat(tag)
  const words = (key: Key, values: Record<string, string | number> = {}) => {
    const text: Text = catalogue[key]
    const form = typeof text === 'string' ? text : formOf(text, plurals, Number(values.count))
    return form.replaceAll(/\{(\w+)\}/g, (_, name: string) => {
      const value = values[name] ?? ''
      return typeof value === 'number' ? numbers.format(value) : value
    })
  }
  return { tag, direction: tag === 'ar' ? 'rtl' : 'ltr', words }
}

function formOf(text: Exclude<Text, string>, plurals: Intl.PluralRules, count: number): string {
  return text[plurals.select(count)] ?? text.other ?? ''
}

export const english: Language = languageOf('en', en)
export const LanguageContext: React.Context<Language> = createContext(english)

export function useLanguage(): Language {
  return useContext(LanguageContext)
}

export function useWords(): Words {
  return useContext(LanguageContext).words
}
