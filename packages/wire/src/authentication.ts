/**
 * What an identity signs toward its server: to finish a registration, to log in on the socket, to
 * make a request. Each under its own label, each naming the server, so that no signature passes
 * for another or at another server. (spec/http-api.md, spec/socket.md)
 */
import { type Bytes, utf8 } from './bytes.ts'
import { Writer } from './codec.ts'
import { LABEL_SIGN_LOGIN, LABEL_SIGN_REGISTRATION, LABEL_SIGN_REQUEST } from './labels.ts'

export const CHALLENGE_BYTES = 32

/** Host and port as in the URL that the client uses, lower-case: `chat.example`, `localhost:8080`. */
export type ServerName = string

/** Proof of possession of the keys being registered, asked for together with the code. */
export function registrationSignedBytes(input: {
  readonly serverName: ServerName
  readonly registrationId: string
  /** 32 bytes from the answer that opened the registration. */
  readonly challenge: Uint8Array
  readonly identityId: Uint8Array
}): Bytes {
  return new Writer()
    .bytes(LABEL_SIGN_REGISTRATION)
    .bytes16(utf8(input.serverName))
    .bytes16(utf8(input.registrationId))
    .bytes(input.challenge)
    .bytes(input.identityId)
    .finish()
}

/** The answer to the socket's challenge. */
export function loginSignedBytes(input: {
  readonly serverName: ServerName
  /** 32 bytes, fresh for each connection. */
  readonly challenge: Uint8Array
  readonly identityId: Uint8Array
}): Bytes {
  return new Writer()
    .bytes(LABEL_SIGN_LOGIN)
    .bytes16(utf8(input.serverName))
    .bytes(input.challenge)
    .bytes(input.identityId)
    .finish()
}

/** A signed HTTP request: method, path and body at a time. */
export function requestSignedBytes(input: {
  readonly serverName: ServerName
  readonly identityId: Uint8Array
  /** Milliseconds since 1970; the server allows REQUEST_CLOCK_SKEW_MS either way. */
  readonly at: number
  /** Upper-case. */
  readonly method: string
  /** Path and query exactly as sent. */
  readonly path: string
  /** SHA-256 of the body's bytes; of nothing for an empty one. */
  readonly bodyHash: Uint8Array
}): Bytes {
  return new Writer()
    .bytes(LABEL_SIGN_REQUEST)
    .bytes16(utf8(input.serverName))
    .bytes(input.identityId)
    .u64(input.at)
    .bytes16(utf8(input.method))
    .bytes16(utf8(input.path))
    .bytes(input.bodyHash)
    .finish()
}

/** `Authorization: Couplet <base64url identityId> <at> <base64url signature>`. */
export const AUTHORIZATION_SCHEME = 'Couplet'
