/** The figures of the web client as text. */
import { type Conditions, rounded, table } from '../harness.ts'
import type { AppFigures } from './app.ts'
import type { Past } from './home.ts'

export interface WebResults extends Conditions {
  readonly benchmark: 'web'
  readonly chromium: string
  readonly past: Past
  readonly app: AppFigures
  /** Messages of 256 bytes, sealed and opened, a second. */
  readonly protocol: { readonly oneWay: number; readonly pingPong: number }
}

export function webReport({ app, protocol, past, chromium: version, load }: WebResults): string {
  const ms = (value: number) => `${rounded(value)} ms`
  return table([
    [`web client, Chromium ${version}, load ${load.before} to ${load.after}`, ''],
    [`conversations; messages in the longest`, `${past.conversations}; ${past.long}`],
    ['first paint', ms(app.firstPaintMs)],
    ['list can be used', ms(app.listMs)],
    ['long conversation is open', ms(app.openMs)],
    ['a typed letter is there, slowest of fifty', ms(app.typeMs)],
    ['scrolling: longest task', ms(app.scroll.longestMs)],
    ['scrolling: time beyond 50 ms in tasks', ms(app.scroll.blockedMs)],
    ['first search', ms(app.searchMs)],
    ['next search', ms(app.searchAgainMs)],
    ['a message from its sender to the screen', ms(app.arrivalMs)],
    ['rows in the document', String(app.rows)],
    ['protocol, one way', `${rounded(protocol.oneWay)}/s`],
    ['protocol, ping-pong', `${rounded(protocol.pingPong)}/s`],
  ])
}
