/** Somebody new: by number, or by the code on their screen, which also verifies. */
import { Tabs } from '@base-ui/react/tabs'
import { useState } from 'react'
import { useWords } from '../../i18n/index.ts'
import { Dialog } from '../../ui/dialog.tsx'
import { ByCode } from './by-code.tsx'
import { ByNumber } from './by-number.tsx'

export function NewChat({
  tab,
  onClose,
}: {
  readonly tab: 'number' | 'code'
  readonly onClose: () => void
}) {
  const words = useWords()
  const [chosen, setChosen] = useState<string>(tab)
  return (
    <Dialog title={words('new.title')} open onClose={onClose} wide={chosen === 'code'}>
      <Tabs.Root value={chosen} onValueChange={(value) => setChosen(String(value))}>
        <Tabs.List className="tabs" activateOnFocus aria-label={words('new.title')}>
          <Tabs.Tab className="tab" value="number">
            {words('new.number')}
          </Tabs.Tab>
          <Tabs.Tab className="tab" value="code">
            {words('new.code')}
          </Tabs.Tab>
        </Tabs.List>
        <Tabs.Panel value="number" tabIndex={-1}>
          <ByNumber onDone={onClose} />
        </Tabs.Panel>
        <Tabs.Panel value="code" tabIndex={-1}>
          <ByCode onDone={onClose} />
        </Tabs.Panel>
      </Tabs.Root>
    </Dialog>
  )
}
