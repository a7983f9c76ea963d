/**
 * The text of a message: text and nothing else. Addresses become links that are followed only when
 * somebody presses them; nothing is fetched to show what is behind.
 */
import { useState } from 'react'
import { useWords } from '../../i18n/index.ts'

export function MessageText({ text }: { readonly text: string }) {
  const words = useWords()
  const [isOpen, setOpen] = useState(false)
  const isLong = text.length > LONG || text.split('\n', LONG_LINES + 1).length > LONG_LINES
  const shown = isLong && !isOpen ? beginningOf(text) : text
  return (
    <div className="bubble-text" dir="auto">
      {withLinks(shown)}
      {isLong && !isOpen && (
        <>
          {'… '}
          <button type="button" className="link" onClick={() => setOpen(true)}>
            {words('message.expand')}
          </button>
        </>
      )}
    </div>
  )
}

function beginningOf(text: string): string {
  return text.split('\n', LONG_LINES).join('\n').slice(0, LONG)
}

function withLinks(text: string): React.ReactNode[] {
  const parts: React.ReactNode[] = []
  let from = 0
  for (const match of text.matchAll(LINK)) {
    const url = match[0].replace(/[.,;:!?)\]}'"»”]+$/, '')
    if (!URL.canParse(url)) continue
    parts.push(
      text.slice(from, match.index),
      <a key={match.index} href={url} target="_blank" rel="noopener noreferrer nofollow">
        {url}
      </a>,
    )
    from = match.index + url.length
  }
  parts.push(text.slice(from))
  return parts
}

/** Nothing but these two schemes is ever a link. */
const LINK = /\bhttps?:\/\/[^\s<>"]+/gi
const LONG = 1600
const LONG_LINES = 24
