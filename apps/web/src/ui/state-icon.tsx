/** Where an outgoing message is: a sign, with its word for those who do not see it. */
import type { OutgoingMessage } from '@couplet/client'
import { useWords } from '../i18n/index.ts'
import { Icon, type IconName } from './icon.tsx'

const ICONS: Readonly<Record<OutgoingMessage['state'], IconName>> = {
  pending: 'clock',
  sent: 'check',
  delivered: 'checks',
  'waiting-for-room': 'loop',
  failed: 'alert',
}

export function StateIcon({
  state,
  size = 15,
  silent = false,
}: {
  readonly state: OutgoingMessage['state']
  readonly size?: number
  /** Its word stands elsewhere. */
  readonly silent?: boolean
}) {
  const words = useWords()
  return (
    <span
      className={`state state-${state}`}
      key={state}
      title={words(`state.${state}`)}
      data-state={state}
    >
      <Icon name={ICONS[state]} size={size} />
      {!silent && <span className="visually-hidden">{words(`state.${state}`)}</span>}
    </span>
  )
}
