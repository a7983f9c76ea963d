/** A monogram in a colour of its own for each number. */
import { Icon } from './icon.tsx'

export function Avatar({
  phone,
  name,
  size = 44,
}: {
  readonly phone: string
  readonly name?: string | undefined
  readonly size?: number
}) {
  return (
    <span
      className="avatar"
      aria-hidden="true"
      style={{ '--hue': hueOf(phone), '--size': `${size}px` } as React.CSSProperties}
    >
      {name ? initials(name) : <Icon name="person" size={size * 0.5} />}
    </span>
  )
}

/** The first letters, as people see them: a letter may be several code points. */
function initials(name: string): string {
  const words = name.trim().split(/\s+/)
  const chosen = words.length > 1 ? [words[0]!, words.at(-1)!] : [words[0]!]
  return chosen
    .map((word) => graphemes(word)[0] ?? '')
    .join('')
    .toLocaleUpperCase()
}

function graphemes(word: string): string[] {
  return [...new Intl.Segmenter().segment(word)].map(({ segment }) => segment)
}

function hueOf(phone: string): number {
  let sum = 0
  for (const character of phone) sum = (sum * 31 + character.charCodeAt(0)) % 3600
  return (sum * 137.5) % 360
}
