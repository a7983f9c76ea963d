/** Dialogs. What they are made of is loaded with the first that opens. */
import { lazy, type ReactNode, Suspense, useState } from 'react'
import { useWords } from '../i18n/index.ts'
import { Button } from './button.tsx'

const DialogBox = lazy(async () => ({ default: (await import('./dialog-box.tsx')).DialogBox }))

export interface DialogProps {
  readonly title: string
  readonly open: boolean
  readonly onClose: () => void
  readonly children: ReactNode
  readonly wide?: boolean
}

export function Dialog(props: DialogProps) {
  const [wasOpen, setWasOpen] = useState(props.open)
  if (props.open && !wasOpen) setWasOpen(true)
  if (!wasOpen) return null
  return (
    <Suspense fallback={null}>
      <DialogBox {...props} />
    </Suspense>
  )
}

/** A question with two answers; the second one does something. */
export function Confirm({
  title,
  text,
  action,
  danger = false,
  open,
  onClose,
  onConfirm,
}: {
  readonly title: string
  readonly text: string
  readonly action: string
  readonly danger?: boolean
  readonly open: boolean
  readonly onClose: () => void
  readonly onConfirm: () => void
}) {
  const words = useWords()
  return (
    <Dialog title={title} open={open} onClose={onClose}>
      <p className="dialog-text">{text}</p>
      <div className="buttons buttons-end">
        <Button onClick={onClose}>{words('common.cancel')}</Button>
        <Button
          look={danger ? 'danger' : 'main'}
          onClick={() => {
            onClose()
            onConfirm()
          }}
        >
          {action}
        </Button>
      </div>
    </Dialog>
  )
}
