/** What a search has found, while it is typed. */
import { useEffect, useState } from 'react'
import { useCalled } from '../../app/names.ts'
import { go } from '../../app/places.ts'
import { type Found, type Hit, Searcher } from '../../app/search.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import { shortTime } from '../../i18n/time.ts'
import { Avatar } from '../../ui/avatar.tsx'

export function SearchResults({
  query,
  onChosen,
}: {
  readonly query: string
  readonly onChosen: () => void
}) {
  const words = useWords()
  const [searcher] = useState(() => new Searcher())
  const [found, setFound] = useState<Found>()
  useEffect(() => {
    const stop = new AbortController()
    const show = (what: Found) => {
      if (!stop.signal.aborted) setFound(what)
    }
    const timer = setTimeout(() => {
      // A home that was closed meanwhile has nothing to find.
      searcher.find(query, stop.signal, show).catch(() => undefined)
    }, TYPING_MS)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [query, searcher])

  const isEmpty = found !== undefined && found.people.length + found.messages.length === 0
  if (!found || (isEmpty && !found.isDone)) {
    return (
      <p className="chats-scroll search-note spinner-late" role="status">
        {words('search.running')}
      </p>
    )
  }
  if (isEmpty) {
    return (
      <div className="chats-scroll empty" role="status">
        <h2>{words('search.nothing', { query })}</h2>
        <p>{words('search.nothing.hint')}</p>
      </div>
    )
  }
  return (
    <section className="chats-scroll" aria-label={words('search.title')}>
      {found.people.length > 0 && (
        <>
          <h2 className="list-heading">{words('search.people')}</h2>
          <ul className="chat-list">
            {found.people.map((peer) => (
              <PersonRow key={peer} peer={peer} onChosen={onChosen} />
            ))}
          </ul>
        </>
      )}
      {found.messages.length > 0 && (
        <>
          <h2 className="list-heading">{words('search.messages')}</h2>
          <ul className="chat-list">
            {found.messages.map((hit) => (
              <HitRow key={hit.peer + hit.message.id} hit={hit} />
            ))}
          </ul>
        </>
      )}
    </section>
  )
}

function PersonRow({ peer, onChosen }: { readonly peer: string; readonly onChosen: () => void }) {
  const { name, given, number } = useCalled(peer)
  return (
    <li>
      <button
        type="button"
        className="chat-row"
        onClick={() => {
          go({ kind: 'chat', peer })
          onChosen()
        }}
      >
        <Avatar phone={peer} name={given} />
        <span className="chat-row-words">
          <bdi className="chat-row-name">{name}</bdi>
          {given && <bdi className="chat-row-last">{number}</bdi>}
        </span>
      </button>
    </li>
  )
}

function HitRow({ hit: { peer, message, excerpt } }: { readonly hit: Hit }) {
  const { tag } = useLanguage()
  const { name, given } = useCalled(peer)
  const [before, match, after] = excerpt
  return (
    <li>
      <button
        type="button"
        className="chat-row"
        onClick={() => go({ kind: 'chat', peer, at: message.id })}
      >
        <Avatar phone={peer} name={given} />
        <span className="chat-row-words">
          <span className="chat-row-top">
            <bdi className="chat-row-name">{name}</bdi>
            <time className="chat-row-time">{shortTime(message.sentAt, Date.now(), tag)}</time>
          </span>
          <bdi className="chat-row-last">
            {before}
            <mark>{match}</mark>
            {after}
          </bdi>
        </span>
      </button>
    </li>
  )
}

const TYPING_MS = 120
