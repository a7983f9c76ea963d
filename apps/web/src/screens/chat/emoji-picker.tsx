/** A small choice of emoji; the system's own picker has the others. */
import { type KeyboardEvent, useEffect, useRef } from 'react'
import { useWords } from '../../i18n/index.ts'

export function EmojiPicker({
  onPick,
  onClose,
}: {
  readonly onPick: (emoji: string) => void
  readonly onClose: () => void
}) {
  const words = useWords()
  const grid = useRef<HTMLDivElement>(null)
  useEffect(() => {
    grid.current?.querySelector('button')?.focus()
  }, [])
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') {
      event.preventDefault()
      onClose()
      return
    }
    const isRightToLeft = document.documentElement.dir === 'rtl'
    const side = isRightToLeft ? -1 : 1
    const step = { ArrowRight: side, ArrowLeft: -side, ArrowDown: COLUMNS, ArrowUp: -COLUMNS }[
      event.key
    ]
    if (!step) return
    event.preventDefault()
    const buttons = [...(grid.current?.querySelectorAll('button') ?? [])]
    buttons[buttons.indexOf(document.activeElement as HTMLButtonElement) + step]?.focus()
  }
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset has looks of its own
    <div
      ref={grid}
      className="emoji-grid"
      role="group"
      aria-label={words('chat.emoji')}
      onKeyDown={onKeyDown}
    >
      {EMOJI.map((emoji, index) => (
        <button
          key={emoji}
          type="button"
          tabIndex={index === 0 ? 0 : -1}
          onClick={() => onPick(emoji)}
        >
          {emoji}
        </button>
      ))}
    </div>
  )
}

const COLUMNS = 9
const EMOJI = [
  '😀',
  '😄',
  '😂',
  '🤣',
  '😊',
  '🙂',
  '😉',
  '😍',
  '😘',
  '😋',
  '😎',
  '🤔',
  '😐',
  '🙄',
  '😴',
  '😢',
  '😭',
  '😅',
  '😱',
  '😡',
  '🤯',
  '🥳',
  '🤗',
  '🤫',
  '🫣',
  '😬',
  '🤒',
  '👍',
  '👎',
  '👌',
  '🙏',
  '👏',
  '💪',
  '👋',
  '🤝',
  '✌️',
  '❤️',
  '💔',
  '🔥',
  '✨',
  '🎉',
  '🎂',
  '🌹',
  '☕',
  '🍕',
  '✅',
  '❌',
  '❗',
  '❓',
  '⏰',
  '📞',
  '🚗',
  '✈️',
  '🏠',
] as const
