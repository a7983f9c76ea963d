/**
 * Codes by a web hook: a POST to a program of the operator's, which sends them on.
 *
 *     couplet-signature: t=1767225600,v1=<HMAC-SHA-256(secret, "1767225600." ‖ body) in hex>
 *     {"phone":"+12025550101","code":"123456","text":"123456 is your Couplet code. …"}
 *
 * Any 2xx is a yes. 4xx, but 408 and 429, is a no that stays one.
 */
import { createHmac } from 'node:crypto'
import { CodeRefusedError, type CodeTransport } from './code-transport.ts'
import { post } from './post.ts'

export interface WebhookOptions {
  /** `https:`; `http:` only where private addresses are allowed. */
  readonly url: string
  readonly secret: string
  readonly allowPrivate?: boolean | undefined
}

export function webhookTransport(options: WebhookOptions): CodeTransport {
  const { url, secret, allowPrivate = false } = options
  return {
    async send({ phone, code, text }, signal) {
      const body = JSON.stringify({ phone, code, text })
      const time = Math.floor(Date.now() / 1000)
      const signature = createHmac('sha256', secret).update(`${time}.${body}`).digest('hex')
      const headers = {
        'content-type': 'application/json',
        'couplet-signature': `t=${time},v1=${signature}`,
      }
      const { status } = await post({ url: new URL(url), headers, body, signal, allowPrivate })
      requireYes(status)
    },
  }
}

/** @throws {CodeRefusedError} for a no that stays one; an `Error` for one that may pass. */
export function requireYes(status: number): void {
  if (status >= 200 && status < 300) return
  const stays = status >= 400 && status < 500 && status !== 408 && status !== 429
  if (stays) throw new CodeRefusedError(`the service for codes answered ${status}`)
  throw new Error(`the service for codes answered ${status}`)
}
