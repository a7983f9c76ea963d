/** What the person program is told, and what it says: one JSON object a line. */
import type { DeliveryState, Warning } from '@couplet/client'

export type Order =
  /** The first word of a text is its label, and unique. */
  | { readonly kind: 'send'; readonly to: string; readonly texts: readonly string[] }
  | { readonly kind: 'count' }

export type Report =
  | { readonly kind: 'open' }
  /** `send` has answered: the message must not be lost any more. */
  | { readonly kind: 'kept'; readonly id: string; readonly to: string; readonly label: string }
  | {
      readonly kind: 'shown'
      readonly id: string
      readonly from: string
      readonly label: string
      readonly sequence: number
      readonly missingBefore: number
    }
  | { readonly kind: 'state'; readonly id: string; readonly state: DeliveryState }
  | { readonly kind: 'warning'; readonly warning: Warning['kind'] }
  | { readonly kind: 'refused'; readonly fault: string }
  | { readonly kind: 'counted'; readonly outbox: number }
  /** The last word, unless it is killed. */
  | { readonly kind: 'closed'; readonly fault: string | undefined }

/** By which a message is known at both ends. */
export function labelOf(text: string): string {
  return text.split(' ', 1)[0]!
}
