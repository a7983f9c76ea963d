/** Short words at the bottom that go by themselves: "Copied", or why something did not work. */
import { create } from 'zustand'
import { Icon } from './icon.tsx'

interface Toast {
  readonly id: number
  readonly text: string
  readonly kind: 'note' | 'failure'
}

const useToast = create<{ readonly toast: Toast | undefined }>()(() => ({ toast: undefined }))
let count = 0
let timer: ReturnType<typeof setTimeout> | undefined

export function showToast(text: string, kind: Toast['kind'] = 'note'): void {
  clearTimeout(timer)
  useToast.setState({ toast: { id: ++count, text, kind } })
  timer = setTimeout(hideToast, kind === 'note' ? NOTE_MS : FAILURE_MS)
}

function hideToast(): void {
  useToast.setState({ toast: undefined })
}

export function Toasts() {
  const toast = useToast((state) => state.toast)
  return (
    <div className="toasts" role="status">
      {toast && (
        <div className={`toast toast-${toast.kind}`} key={toast.id}>
          <Icon name={toast.kind === 'note' ? 'check' : 'alert'} size={18} />
          <span>{toast.text}</span>
        </div>
      )}
    </div>
  )
}

/** To the clipboard, with a word that it is there. */
export async function copyText(text: string, done: string): Promise<void> {
  await navigator.clipboard.writeText(text)
  showToast(done)
}

const NOTE_MS = 2500
const FAILURE_MS = 7000
