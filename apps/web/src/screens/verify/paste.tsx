/** A number that the other person has sent by another way, compared digit by digit. */
import { useState } from 'react'
import { useWords } from '../../i18n/index.ts'
import { TextField } from '../../ui/field.tsx'

export function PasteToCompare({
  digits,
  onMismatch,
}: {
  readonly digits: string
  readonly onMismatch: () => void
}) {
  const words = useWords()
  const [text, setText] = useState('')
  const pasted = text.replaceAll(/\D/g, '')
  const change = (value: string) => {
    setText(value)
    const all = value.replaceAll(/\D/g, '')
    if (all.length === digits.length && all !== digits) onMismatch()
  }
  return (
    <div className="paste">
      <TextField
        label={words('verify.paste')}
        inputMode="numeric"
        autoComplete="off"
        dir="ltr"
        value={text}
        onChange={(event) => change(event.currentTarget.value)}
        hint={
          pasted && pasted.length !== digits.length
            ? words('verify.paste.short', { count: pasted.length })
            : undefined
        }
      />
      {pasted === digits && (
        <p className="good" role="status">
          {words('verify.paste.match')}
        </p>
      )}
    </div>
  )
}
