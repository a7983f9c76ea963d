/**
 * Contacts who have another number. What is kept here about somebody goes along: the number that they
 * left may get a new owner, who must not appear under their name.
 */
import type { Contact } from '@couplet/client'
import { currentPlace, go } from './places.ts'
import { MEMO, type Messenger, useMessenger } from './state.ts'

interface Move {
  readonly from: string
  readonly to: string
}

/**
 * Moves name, timer and draft of those who have moved since, and the screen that shows them. Each move
 * is made once: what is noted under the former number after it is about somebody else.
 */
export async function takeAlong(contacts: readonly Contact[]): Promise<void> {
  const { couplet, people, drafts, chats } = useMessenger.getState()
  const moves = contacts.flatMap(({ phone, formerPhone: from }): Move[] =>
    from && people[phone]?.formerPhone !== from ? [{ from, to: phone }] : [],
  )
  if (!couplet || moves.length === 0) return
  const after = {
    people: movedNotes(people, moves),
    drafts: moved(drafts, moves, (former, own) => own ?? former),
    // Read anew under the other number.
    chats: moved(chats, moves, (_former, own) => own),
  }
  useMessenger.setState(after)
  showMoved(moves)
  await couplet.keepMemo(MEMO.people, after.people)
  await couplet.keepMemo(MEMO.drafts, useMessenger.getState().drafts)
}

function movedNotes(people: Messenger['people'], moves: readonly Move[]): Messenger['people'] {
  const after = moved(people, moves, (former, own) => ({ ...former, ...own }))
  const marks = moves.map(({ from, to }) => [to, { ...after[to], formerPhone: from }])
  return { ...after, ...Object.fromEntries(marks) }
}

/** All are taken from where they were before any is put down: one may move to where another was. */
function moved<T>(
  values: Readonly<Record<string, T>>,
  moves: readonly Move[],
  join: (former: T | undefined, own: T | undefined) => T | undefined,
): Readonly<Record<string, T>> {
  const left = new Set(moves.map(({ from }) => from))
  const after = new Map(Object.entries(values).filter(([phone]) => !left.has(phone)))
  for (const { from, to } of moves) {
    const value = join(values[from], after.get(to))
    if (value !== undefined) after.set(to, value)
  }
  return Object.fromEntries(after)
}

/** Whoever looks at one of them goes on doing so. */
function showMoved(moves: readonly Move[]): void {
  const place = currentPlace()
  if (!('peer' in place)) return
  const move = moves.find(({ from }) => from === place.peer)
  if (move) go({ ...place, peer: move.to }, { replace: true })
}
