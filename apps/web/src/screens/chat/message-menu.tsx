/** What can be done with one message. One menu for the whole log, beside the message it is for. */
import { Menu } from '@base-ui/react/menu'
import type { AnyMessage } from '../../app/chat.ts'
import { useWords } from '../../i18n/index.ts'
import { Icon, type IconName } from '../../ui/icon.tsx'
import type { MenuAction } from './conversation.tsx'

export interface MenuRequest {
  readonly message: AnyMessage
  readonly anchor: HTMLElement
}

export function MessageMenu({
  request: { message, anchor },
  onAction,
  onClose,
}: {
  readonly request: MenuRequest
  readonly onAction: (action: MenuAction, message: AnyMessage) => void
  readonly onClose: () => void
}) {
  const words = useWords()
  return (
    <Menu.Root open onOpenChange={(isOpen) => !isOpen && onClose()}>
      {/* Within the landmark that the message is in. */}
      <Menu.Portal container={document.getElementById('main')}>
        <Menu.Positioner anchor={anchor} side="bottom" align="start" sideOffset={4}>
          <Menu.Popup
            className="menu"
            aria-label={words('message.menu')}
            finalFocus={() => (anchor.isConnected ? anchor : true)}
          >
            {ITEMS.map(({ action, icon }) => (
              <Menu.Item
                key={action}
                className={`menu-item ${action === 'delete' ? 'menu-item-danger' : ''}`}
                onClick={() => onAction(action, message)}
              >
                <Icon name={icon} size={18} />
                {words(`message.${action}`)}
              </Menu.Item>
            ))}
          </Menu.Popup>
        </Menu.Positioner>
      </Menu.Portal>
    </Menu.Root>
  )
}

const ITEMS: readonly { readonly action: MenuAction; readonly icon: IconName }[] = [
  { action: 'reply', icon: 'reply' },
  { action: 'copy', icon: 'copy' },
  { action: 'details', icon: 'info' },
  { action: 'delete', icon: 'trash' },
]
