/** The box of a dialog: focus goes in and comes back, Escape closes, the page behind is out of reach. */
import { Dialog as Base } from '@base-ui/react/dialog'
import { useWords } from '../i18n/index.ts'
import type { DialogProps } from './dialog.tsx'
import { Icon } from './icon.tsx'

export function DialogBox({ title, open, onClose, children, wide = false }: DialogProps) {
  const words = useWords()
  return (
    <Base.Root open={open} onOpenChange={(isOpen) => !isOpen && onClose()}>
      <Base.Portal>
        <Base.Backdrop className="dialog-backdrop" />
        <Base.Viewport className="dialog-viewport">
          <Base.Popup className={`dialog ${wide ? 'dialog-wide' : ''}`}>
            <header className="dialog-header">
              <Base.Title className="dialog-title">{title}</Base.Title>
              <Base.Close className="icon-button" aria-label={words('common.close')}>
                <Icon name="close" />
              </Base.Close>
            </header>
            <div className="dialog-body">{children}</div>
          </Base.Popup>
        </Base.Viewport>
      </Base.Portal>
    </Base.Root>
  )
}
