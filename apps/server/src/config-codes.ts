/** Which code sender a configuration asks for, and what that one needs to know. */
import { resolve } from 'node:path'
import type { CodeSenderChoice } from '@couplet/server'
import { type Reader, wrong } from './config.ts'

/** @throws {ConfigError} naming what is missing or wrong. */
export function codeSender(read: Reader): CodeSenderChoice {
  const value = read.value('code-sender')
  const { text = 'console' } = value
  if (text.startsWith('file:') && text.length > 'file:'.length) {
    return { kind: 'file', path: resolve(text.slice('file:'.length)) }
  }
  switch (text) {
    case 'console':
      return { kind: 'console' }
    case 'webhook':
      return webhook(read)
    case 'smtp':
      return smtp(read)
    case 'twilio':
      return twilio(read)
    case 'smpp':
      return smpp(read)
    default:
      throw wrong(value, 'must be console, or file: with a path, or webhook, smtp, twilio, smpp')
  }
}

function webhook(read: Reader): CodeSenderChoice {
  const url = read.required('webhook-url', 'the code sender webhook')
  const allowPrivate = read.onOff('webhook-allow-private')
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  const secure = parsed?.protocol === 'https:' || (allowPrivate && parsed?.protocol === 'http:')
  if (!secure) throw wrong(read.value('webhook-url'), 'must be a URL that begins with https://')
  const secret = read.required('webhook-secret', 'the code sender webhook')
  return { kind: 'webhook', url, secret, allowPrivate }
}

function smtp(read: Reader): CodeSenderChoice {
  const why = 'the code sender smtp'
  const to = read.required('smtp-to', why)
  if (!to.includes('{number}')) throw wrong(read.value('smtp-to'), 'must have {number} in it')
  return {
    kind: 'smtp',
    host: read.required('smtp-host', why),
    port: read.integer('smtp-port') ?? 587,
    security:
      (read.choice('smtp-security') as 'tls' | 'starttls' | 'none' | undefined) ?? 'starttls',
    user: read.text('smtp-user'),
    password: read.text('smtp-password'),
    from: read.required('smtp-from', why),
    to,
  }
}

function twilio(read: Reader): CodeSenderChoice {
  const why = 'the code sender twilio'
  return {
    kind: 'twilio',
    account: read.required('twilio-account', why),
    token: read.required('twilio-token', why),
    from: read.required('twilio-from', why),
    url: read.url('twilio-url'),
  }
}

function smpp(read: Reader): CodeSenderChoice {
  const why = 'the code sender smpp'
  return {
    kind: 'smpp',
    host: read.required('smpp-host', why),
    port: read.integer('smpp-port') ?? 2775,
    tls: read.onOff('smpp-tls'),
    systemId: read.required('smpp-system-id', why),
    password: read.required('smpp-password', why),
    from: read.required('smpp-from', why),
  }
}
