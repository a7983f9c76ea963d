/** The dialogs of a conversation: the person, the timer, a message's details, deleting. */
import { type FormEvent, useState } from 'react'
import type { AnyMessage } from '../../app/chat.ts'
import { clearChat, useMessenger } from '../../app/messenger.ts'
import { useCalled } from '../../app/names.ts'
import { block, changePerson } from '../../app/people.ts'
import { go } from '../../app/places.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { duration, fullTime } from '../../i18n/time.ts'
import { Avatar } from '../../ui/avatar.tsx'
import { Button } from '../../ui/button.tsx'
import { Confirm, Dialog } from '../../ui/dialog.tsx'
import { TextField } from '../../ui/field.tsx'
import { StateIcon } from '../../ui/state-icon.tsx'
import type { ChatDialog } from './conversation.tsx'
import { TIMES } from './times.ts'

export function ChatDialogs({
  peer,
  dialog,
  onClose,
  onDelete,
}: {
  readonly peer: string
  readonly dialog: ChatDialog
  readonly onClose: () => void
  readonly onDelete: (message: AnyMessage) => void
}) {
  const words = useWords()
  switch (dialog.kind) {
    case 'person':
      return <PersonDialog peer={peer} onClose={onClose} />
    case 'timer':
      return <TimerDialog peer={peer} onClose={onClose} />
    case 'details':
      return <DetailsDialog message={dialog.message} onClose={onClose} />
    case 'delete':
      return (
        <Confirm
          title={words('delete.title')}
          text={words('delete.text')}
          action={words('common.delete')}
          danger
          open
          onClose={onClose}
          onConfirm={() => onDelete(dialog.message)}
        />
      )
  }
}

function PersonDialog({ peer, onClose }: { readonly peer: string; readonly onClose: () => void }) {
  const words = useWords()
  const { name, given, number } = useCalled(peer)
  const contact = useMessenger((state) => state.contacts.get(peer))
  const [typed, setTyped] = useState(given ?? '')
  const [asking, setAsking] = useState<'block' | 'clear'>()

  const save = (event: FormEvent) => {
    event.preventDefault()
    void changePerson(peer, { name: typed.trim() || undefined })
    onClose()
  }
  return (
    <>
      <Dialog title={words('person.title')} open={asking === undefined} onClose={onClose}>
        <div className="person">
          <Avatar phone={peer} name={typed.trim() || undefined} size={72} />
          <bdi className="person-number">{number}</bdi>
        </div>
        <form className="form" onSubmit={save}>
          <TextField
            label={words('person.name')}
            hint={words('person.name.hint')}
            value={typed}
            maxLength={80}
            dir="auto"
            autoComplete="off"
            onChange={(event) => setTyped(event.currentTarget.value)}
          />
          <Button look="main" submit className="button-wide">
            {words('common.save')}
          </Button>
        </form>
        <div className="person-actions">
          <Button
            icon={contact?.verified ? 'shieldCheck' : 'shield'}
            onClick={() => {
              onClose()
              go({ kind: 'verify', peer })
            }}
          >
            {words('person.verify')}
          </Button>
          {contact && (
            <Button
              icon="block"
              onClick={() => (contact.blocked ? void block(peer, false) : setAsking('block'))}
            >
              {words(contact.blocked ? 'chat.unblock' : 'person.block')}
            </Button>
          )}
          <Button look="danger" icon="trash" onClick={() => setAsking('clear')}>
            {words('person.clear')}
          </Button>
        </div>
      </Dialog>
      <Confirm
        title={words('person.block.title', { name })}
        text={words('person.block.text')}
        action={words('person.block')}
        danger
        open={asking === 'block'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => {
          void block(peer, true)
          onClose()
        }}
      />
      <Confirm
        title={words('person.clear.title')}
        text={words('person.clear.text')}
        action={words('common.delete')}
        danger
        open={asking === 'clear'}
        onClose={() => setAsking(undefined)}
        onConfirm={() => {
          void clearChat(peer)
          onClose()
        }}
      />
    </>
  )
}

function TimerDialog({ peer, onClose }: { readonly peer: string; readonly onClose: () => void }) {
  const { words, tag } = useLanguage()
  const chosen = useMessenger((state) => state.people[peer]?.timerMs)
  const usual = useMessenger((state) => state.settings.expiresAfterMs)
  const nameOfTime = (ms: number) => (ms === 0 ? words('timer.off') : duration(ms, tag))
  const choose = (timerMs: number | undefined) => {
    void changePerson(peer, { timerMs })
    onClose()
  }
  return (
    <Dialog title={words('timer.title')} open onClose={onClose}>
      <p className="dialog-text">{words('timer.text')}</p>
      <fieldset className="choices">
        <legend className="visually-hidden">{words('timer.title')}</legend>
        {[undefined, 0, ...TIMES].map((ms) => (
          <label key={ms ?? 'default'} className="choice">
            <input type="radio" name="timer" checked={chosen === ms} onChange={() => choose(ms)} />
            <span>
              {ms === undefined
                ? words('timer.default', { time: nameOfTime(usual) })
                : nameOfTime(ms)}
            </span>
          </label>
        ))}
      </fieldset>
    </Dialog>
  )
}

function DetailsDialog({
  message,
  onClose,
}: {
  readonly message: AnyMessage
  readonly onClose: () => void
}) {
  const { words, tag } = useLanguage()
  const { name } = useCalled(message.peer)
  const isOut = message.direction === 'outgoing'
  return (
    <Dialog title={words('details.title')} open onClose={onClose}>
      <dl className="facts">
        <dt>{words('details.sent')}</dt>
        <dd>{fullTime(message.sentAt, tag)}</dd>
        {!isOut && (
          <>
            <dt>{words('details.received')}</dt>
            <dd>{fullTime(message.receivedAt, tag)}</dd>
          </>
        )}
        {isOut && (
          <>
            <dt>{words('details.state')}</dt>
            <dd>
              <span className="facts-state">
                <StateIcon state={message.state} silent /> {words(`state.${message.state}`)}
              </span>
              <p className="field-hint">
                {message.failure
                  ? words(`failure.${message.failure}` as 'failure.key-changed', { name })
                  : words(`state.${message.state}.why` as 'state.sent.why', { name })}
              </p>
            </dd>
            <dt>{words('details.since')}</dt>
            <dd>{fullTime(message.stateAt, tag)}</dd>
          </>
        )}
        {message.expiresAt !== undefined && (
          <>
            <dt>{words('details.expires')}</dt>
            <dd>{fullTime(message.expiresAt, tag)}</dd>
          </>
        )}
        <dt>{words('details.protection')}</dt>
        <dd>{words('details.protection.text')}</dd>
        <dt>{words('details.id')}</dt>
        <dd>
          <code>{message.id}</code>
        </dd>
      </dl>
    </Dialog>
  )
}
