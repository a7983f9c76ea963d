/** Codes by SMS over Twilio's HTTP API: one `Messages.json` for each. */
import type { CodeTransport } from './code-transport.ts'
import { requireYes } from './code-webhook.ts'
import { post } from './post.ts'

export interface TwilioOptions {
  /** Account SID, `AC…`. */
  readonly account: string
  readonly token: string
  /** A number in E.164, a sender's name, or the SID of a messaging service, `MG…`. */
  readonly from: string
  /** Of another service that speaks the same. */
  readonly url?: string | undefined
}

export function twilioTransport(options: TwilioOptions): CodeTransport {
  const { account, token, from, url = 'https://api.twilio.com' } = options
  const path = `/2010-04-01/Accounts/${encodeURIComponent(account)}/Messages.json`
  const authorization = `Basic ${Buffer.from(`${account}:${token}`).toString('base64')}`
  return {
    async send({ phone, text }, signal) {
      const sender = /^MG[0-9a-f]{32}$/i.test(from) ? 'MessagingServiceSid' : 'From'
      const body = new URLSearchParams({ To: phone, [sender]: from, Body: text }).toString()
      const headers = { authorization, 'content-type': 'application/x-www-form-urlencoded' }
      // The address is the operator's own choice, in the configuration.
      const target = new URL(path, url)
      const { status } = await post({ url: target, headers, body, signal, allowPrivate: true })
      requireYes(status)
    },
  }
}
