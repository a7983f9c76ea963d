/** Where one writes. Grows with the text; keeps a draft; never in the way of typing. */
import {
  type FormEvent,
  type KeyboardEvent,
  lazy,
  Suspense,
  useEffect,
  useLayoutEffect,
  useRef,
  useState,
} from 'react'
import { type AnyMessage, splitQuote, withQuote } from '../../app/chat.ts'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { send, setDraft, useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { usePreferences } from '../../app/preferences.ts'
import { useLanguage } from '../../i18n/index.ts'
import { IconButton } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'
import { showToast } from '../../ui/toast.tsx'

const EmojiPicker = lazy(async () => ({
  default: (await import('./emoji-picker.tsx')).EmojiPicker,
}))

export function Composer({
  peer,
  isPaused,
  reply,
  onReplied,
}: {
  readonly peer: string
  readonly isPaused: boolean
  readonly reply: AnyMessage | undefined
  readonly onReplied: () => void
}) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(peer)
  const text = useMessenger((state) => state.drafts[peer] ?? '')
  const enterSends = usePreferences((state) => state.enterSends)
  const [isPicking, setPicking] = useState(false)
  const input = useRef<HTMLTextAreaElement>(null)
  const isEmpty = text.trim() === ''
  const cannotSend = isEmpty || isPaused

  useGrowing(input, text)
  useEffect(() => {
    // On a phone the keyboard would cover what was said.
    if (matchMedia('(pointer: fine)').matches) input.current?.focus()
  }, [])
  useEffect(() => {
    if (reply) input.current?.focus()
  }, [reply])

  const submit = async (event?: FormEvent) => {
    event?.preventDefault()
    if (cannotSend) return
    const whole = reply ? withQuote(reply.text, text.trimEnd()) : text.trimEnd()
    onReplied()
    input.current?.focus()
    try {
      await send(peer, whole)
    } catch (error) {
      showToast(sentenceFor(words, failureOf(error), tag), 'failure')
    }
  }
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && reply) {
      event.preventDefault()
      onReplied()
      return
    }
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return
    if (event.shiftKey === enterSends) return
    event.preventDefault()
    void submit()
  }
  const insert = (emoji: string) => {
    const field = input.current
    const at = field?.selectionStart ?? text.length
    setDraft(peer, text.slice(0, at) + emoji + text.slice(field?.selectionEnd ?? at))
    requestAnimationFrame(() => {
      field?.focus()
      field?.setSelectionRange(at + emoji.length, at + emoji.length)
    })
  }

  return (
    <form className="composer" onSubmit={(event) => void submit(event)}>
      {reply && (
        <div className="composer-quote">
          <Icon name="reply" size={18} />
          <div>
            <strong>
              {words('chat.quote', {
                name: reply.direction === 'outgoing' ? words('common.you') : name,
              })}
            </strong>
            <p dir="auto">{splitQuote(reply.text).text}</p>
          </div>
          <IconButton
            name={words('chat.quote.remove')}
            icon="close"
            size={18}
            className="icon-button-small"
            onClick={onReplied}
          />
        </div>
      )}
      <div className="composer-row">
        <div className="composer-box">
          <IconButton
            name={words('chat.emoji')}
            icon="emoji"
            aria-expanded={isPicking}
            className="composer-emoji"
            onClick={() => setPicking(!isPicking)}
          />
          <textarea
            ref={input}
            className="composer-input"
            rows={1}
            dir="auto"
            data-region="composer"
            aria-label={words('chat.message.to', { name })}
            aria-describedby={isPaused ? 'composer-paused' : undefined}
            placeholder={words('chat.message')}
            value={text}
            onChange={(event) => setDraft(peer, event.currentTarget.value)}
            onKeyDown={onKeyDown}
          />
        </div>
        <button
          type="submit"
          className="send"
          aria-label={words('chat.send')}
          title={words('chat.send')}
          disabled={cannotSend}
        >
          <Icon name="send" size={22} />
        </button>
      </div>
      {isPaused && (
        <p className="composer-note" id="composer-paused">
          {words('chat.paused')}
        </p>
      )}
      {isPicking && (
        <Suspense fallback={null}>
          <EmojiPicker onPick={insert} onClose={() => setPicking(false)} />
        </Suspense>
      )}
    </form>
  )
}

/** As high as its text, up to six lines; where the browser cannot do that by itself. */
function useGrowing(input: React.RefObject<HTMLTextAreaElement | null>, text: string): void {
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever the text is another one
  useLayoutEffect(() => {
    const field = input.current
    if (!field || CSS.supports('field-sizing', 'content')) return
    field.style.height = 'auto'
    field.style.height = `${Math.min(field.scrollHeight, MOST_HEIGHT_PX)}px`
  }, [text, input])
}

const MOST_HEIGHT_PX = 156
