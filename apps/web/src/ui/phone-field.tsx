/** Country and number. A whole number with its +, typed or pasted, chooses the country by itself. */
import { type Ref, useEffect, useId, useMemo } from 'react'
import { likelyCountry, parsePhone, usePhones } from '../app/phones.ts'
import { useLanguage, useWords } from '../i18n/index.ts'
import { TextField } from './field.tsx'

export interface TypedPhone {
  readonly text: string
  /** ISO 3166-1, two letters. */
  readonly country: string
  /** E.164, when the text can be a number, and as soon as that is known. */
  readonly phone: string | undefined
}

export function nothingTyped(): TypedPhone {
  return { text: '', country: likelyCountry(), phone: undefined }
}

/** The number, once it can be known. */
export async function phoneOf({ text, country, phone }: TypedPhone): Promise<string | undefined> {
  return phone ?? (text.trim() ? parsePhone(text, country) : undefined)
}

export function PhoneField({
  value,
  onChange,
  error,
  hint,
  ref,
  autoFocus = false,
}: {
  readonly value: TypedPhone
  readonly onChange: (value: TypedPhone) => void
  readonly error?: string | undefined
  readonly hint?: string | undefined
  readonly ref?: Ref<HTMLInputElement>
  readonly autoFocus?: boolean
}) {
  const words = useWords()
  const { tag } = useLanguage()
  const phones = usePhones()
  const id = useId()
  const { country } = value
  const countries = useMemo(() => phones.countries(tag), [phones, tag])
  const chosen = countries.find(({ code }) => code === country)

  const change = (text: string, inCountry: string) => {
    const parsed = phones.parse(text, inCountry)
    const isWhole = text.trim().startsWith('+')
    onChange({
      text,
      country: (isWhole && parsed?.country) || inCountry,
      phone: parsed?.phone,
    })
  }
  // The metadata came after something had been typed.
  // biome-ignore lint/correctness/useExhaustiveDependencies: only when they arrive
  useEffect(() => {
    if (phones.isLoaded && value.text) change(value.text, country)
  }, [phones])

  return (
    <div className="phone-field">
      <div className="field">
        <label className="field-label" htmlFor={`${id}-country`}>
          {words('welcome.country')}
        </label>
        <div className="select">
          <span className="select-shown" aria-hidden="true">
            <span className="select-name">{chosen?.name ?? country}</span>
            {chosen && <span className="select-code" dir="ltr">{`+${chosen.callingCode}`}</span>}
          </span>
          <select
            id={`${id}-country`}
            autoComplete="tel-country-code"
            value={country}
            onChange={(event) => change(value.text, event.currentTarget.value)}
          >
            {countries.length === 0 && <option value={country}>{country}</option>}
            {countries.map(({ code, name, callingCode }) => (
              <option key={code} value={code}>{`${name} +${callingCode}`}</option>
            ))}
          </select>
        </div>
      </div>
      <TextField
        ref={ref}
        label={words('welcome.number')}
        className="phone-number"
        type="tel"
        inputMode="tel"
        dir="ltr"
        autoComplete="tel-national"
        autoFocus={autoFocus}
        value={value.text}
        hint={hint}
        error={error}
        onChange={(event) => change(phones.asTyped(event.currentTarget.value, country), country)}
      />
    </div>
  )
}
