/** One of a few: the system's own list, with our looks. */
import { useId } from 'react'

export function Choice({
  label,
  hint,
  value,
  options,
  onChange,
}: {
  readonly label: string
  readonly hint?: string
  readonly value: string
  readonly options: readonly { readonly value: string; readonly words: string }[]
  readonly onChange: (value: string) => void
}) {
  const id = useId()
  return (
    <div className="choice-row">
      <label htmlFor={id}>
        <span className="switch-label">{label}</span>
        {hint && <span className="field-hint">{hint}</span>}
      </label>
      <div className="select select-small">
        <span className="select-shown" aria-hidden="true">
          <span className="select-name">
            {options.find((option) => option.value === value)?.words ?? value}
          </span>
        </span>
        <select id={id} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          {options.map((option) => (
            <option key={option.value} value={option.value}>
              {option.words}
            </option>
          ))}
        </select>
      </div>
    </div>
  )
}
