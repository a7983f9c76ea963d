/** All keys on one sheet. */
import { SHORTCUTS } from '../app/shortcuts.ts'
import { type Key, useWords } from '../i18n/index.ts'
import { Dialog } from '../ui/dialog.tsx'

export function Shortcuts({ onClose }: { readonly onClose: () => void }) {
  const words = useWords()
  const rows: readonly (readonly [Key, readonly string[]])[] = [
    ...SHORTCUTS.map(({ action, keys }) => [WORDS[action], keys] as const),
    ['shortcuts.messages', ['↑', '↓']],
    ['shortcuts.menu', ['Shift', 'F10']],
    ['shortcuts.regions', ['F6']],
  ]
  return (
    <Dialog title={words('shortcuts.title')} open onClose={onClose}>
      <dl className="keys">
        {rows.map(([key, keys]) => (
          <div key={key}>
            <dt>{words(key as 'shortcuts.new')}</dt>
            <dd dir="ltr">
              {keys.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  )
}

const WORDS = {
  new: 'shortcuts.new',
  search: 'shortcuts.search',
  next: 'shortcuts.next',
  previous: 'shortcuts.previous',
  settings: 'shortcuts.settings',
  help: 'shortcuts.this',
  escape: 'shortcuts.close',
} as const
