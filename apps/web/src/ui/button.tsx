/** Buttons. One with an icon alone has a name, which is also its tooltip. */
import type { ButtonHTMLAttributes, ReactNode } from 'react'
import { Icon, type IconName } from './icon.tsx'

type Native = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'type'>

export function Button({
  look = 'plain',
  icon,
  busy = false,
  children,
  submit = false,
  className = '',
  ...rest
}: Native & {
  readonly look?: 'main' | 'plain' | 'quiet' | 'danger'
  readonly icon?: IconName
  readonly busy?: boolean
  readonly submit?: boolean
  readonly children: ReactNode
}) {
  return (
    <button
      {...rest}
      type={submit ? 'submit' : 'button'}
      className={`button button-${look} ${className}`}
      aria-busy={busy || undefined}
    >
      {icon && <Icon name={icon} size={18} />}
      <span>{children}</span>
    </button>
  )
}

export function IconButton({
  name,
  icon,
  size = 22,
  className = '',
  ...rest
}: Native & { readonly name: string; readonly icon: IconName; readonly size?: number }) {
  return (
    <button
      {...rest}
      type="button"
      className={`icon-button ${className}`}
      aria-label={name}
      title={name}
    >
      <Icon name={icon} size={size} />
    </button>
  )
}
