/** People who wrote first: what they wrote, and what to do about it. */
import type { MessageRequest } from '@couplet/client'
import { useMessenger } from '../app/messenger.ts'
import { useCalled } from '../app/names.ts'
import { acceptRequest, block } from '../app/people.ts'
import { go } from '../app/places.ts'
import { useWords } from '../i18n/index.ts'
import { Avatar } from '../ui/avatar.tsx'
import { Button } from '../ui/button.tsx'
import { Page } from '../ui/page.tsx'
import { MessageText } from './chat/message-text.tsx'

export function Requests() {
  const words = useWords()
  const requests = useMessenger((state) => state.requests)
  return (
    <Page title={words('requests.title')}>
      {requests.length === 0 ? (
        <p className="page-text">{words('requests.none')}</p>
      ) : (
        <>
          <p className="page-text">{words('requests.text')}</p>
          <ul className="requests">
            {requests.map((request) => (
              <RequestCard key={request.contact.phone} request={request} />
            ))}
          </ul>
        </>
      )}
    </Page>
  )
}

function RequestCard({
  request: {
    contact: { phone },
    messages,
  },
}: {
  readonly request: MessageRequest
}) {
  const words = useWords()
  const { name, given, number } = useCalled(phone)
  const accept = async () => {
    await acceptRequest(phone)
    go({ kind: 'chat', peer: phone }, { replace: true })
  }
  return (
    <li className="card">
      <div className="card-head">
        <Avatar phone={phone} name={given} />
        <h2>
          <bdi>{name}</bdi>
          {given && <bdi className="field-hint">{number}</bdi>}
        </h2>
      </div>
      <ol className="card-messages">
        {messages.slice(-3).map((message) => (
          <li key={message.id} className="bubble bubble-in">
            <MessageText text={message.text} />
          </li>
        ))}
      </ol>
      <div className="buttons">
        <Button look="main" onClick={() => void accept()}>
          {words('requests.accept')}
        </Button>
        <Button look="danger" onClick={() => void block(phone, true)}>
          {words('requests.block')}
        </Button>
      </div>
    </li>
  )
}
