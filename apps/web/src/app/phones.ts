/**
 * Phone numbers as people write them. The metadata of all countries comes after the first paint;
 * until then numbers stand as they are.
 */
import { useEffect } from 'react'
import { create } from 'zustand'

type Library = typeof import('libphonenumber-js/min')

const useLibrary = create<{ readonly library: Library | undefined }>()(() => ({
  library: undefined,
}))
let asking: Promise<Library> | undefined

export interface Country {
  /** ISO 3166-1, two letters. */
  readonly code: string
  readonly name: string
  /** Without the plus. */
  readonly callingCode: string
}

export interface Phones {
  readonly isLoaded: boolean
  /** +44 7700 900123 */
  format(phone: string): string
  countries(language: string): readonly Country[]
  /** E.164 of what was typed for a country, or with its own +; undefined when it cannot be a number. */
  parse(
    text: string,
    country: string,
  ): { readonly phone: string; readonly country?: string } | undefined
  /** What is typed, grouped as in that country. */
  asTyped(text: string, country: string): string
}

export function usePhones(): Phones {
  const library = useLibrary((state) => state.library)
  useEffect(() => {
    // What could not be loaded is tried again with the next that is needed.
    load().catch(() => undefined)
  }, [])
  return library ? phonesOf(library) : UNLOADED
}

/** What was typed, as E.164: waits for the metadata, which may come later than a quick finger. */
export async function parsePhone(text: string, country: string): Promise<string | undefined> {
  return phonesOf(await load()).parse(text, country)?.phone
}

function load(): Promise<Library> {
  if (!asking) {
    asking = import('libphonenumber-js/min')
    asking.then(
      (library) => useLibrary.setState({ library }),
      () => {
        asking = undefined
      },
    )
  }
  return asking
}

const UNLOADED: Phones = {
  isLoaded: false,
  format: (phone) => phone,
  countries: () => [],
  parse: () => undefined,
  asTyped: (text) => text,
}

const made = new WeakMap<Library, Phones>()

function phonesOf(library: Library): Phones {
  const known = made.get(library)
  if (known) return known
  const formatted = new Map<string, string>()
  const phones: Phones = {
    isLoaded: true,
    format(phone) {
      let text = formatted.get(phone)
      if (text === undefined) {
        text = library.parsePhoneNumberFromString(phone)?.formatInternational() ?? phone
        formatted.set(phone, text)
      }
      return text
    },
    countries(language) {
      const names = new Intl.DisplayNames([language], { type: 'region' })
      return library
        .getCountries()
        .map((code) => ({
          code,
          name: names.of(code) ?? code,
          callingCode: library.getCountryCallingCode(code),
        }))
        .sort((a, b) => a.name.localeCompare(b.name, language))
    },
    parse(text, country) {
      const found = library.parsePhoneNumberFromString(text, country as 'GB')
      // Possible, not valid: numbers of examples and new ranges are not in the metadata.
      if (!found?.isPossible()) return undefined
      return { phone: found.number, ...(found.country && { country: found.country }) }
    },
    asTyped: (text, country) =>
      /^[\d\s().-]*$/.test(text) ? new library.AsYouType(country as 'GB').input(text) : text,
  }
  made.set(library, phones)
  return phones
}

/** The country of the browser's language; most people register at home. */
export function likelyCountry(): string {
  for (const tag of navigator.languages) {
    const { region } = new Intl.Locale(tag)
    if (region?.length === 2) return region
  }
  return 'US'
}
