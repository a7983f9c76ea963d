/** The field for an invitation, where the server asks for one. */
import { type ReactNode, useEffect, useRef, useState } from 'react'
import { registrationPolicy } from '../../app/server-side.ts'
import { useWords } from '../../i18n/index.ts'
import { TextField } from '../../ui/field.tsx'

export interface InvitationField {
  readonly invitation: string | undefined
  /** Says so at the field when it is empty. */
  readonly isMissing: () => boolean
  /** Says so at the field when it was the invitation that was refused. */
  readonly isRefused: (code: string) => boolean
  readonly field: ReactNode
}

export function useInvitation(): InvitationField {
  const words = useWords()
  const [isAsked, setAsked] = useState(false)
  const [text, setText] = useState('')
  const [error, setError] = useState<string>()
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    void registrationPolicy().then((policy) => setAsked(policy === 'invite'))
  }, [])

  const complain = (sentence: string) => {
    setError(sentence)
    input.current?.focus()
  }
  return {
    invitation: text.trim() || undefined,
    isMissing: () => {
      const isMissing = isAsked && text.trim() === ''
      if (isMissing) complain(words('welcome.invitation.empty'))
      return isMissing
    },
    isRefused: (code: string) => {
      const isRefused = isAsked && code === 'registration-closed'
      if (isRefused) complain(words('welcome.invitation.wrong'))
      return isRefused
    },
    field: isAsked && (
      <TextField
        ref={input}
        label={words('welcome.invitation')}
        hint={words('welcome.invitation.hint')}
        error={error}
        value={text}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        dir="ltr"
        onChange={(event) => {
          setText(event.currentTarget.value)
          setError(undefined)
        }}
      />
    ),
  }
}
