/** TLS in the server itself: 1.2 and newer, with a certificate that is read again when it changes. */
import { constants } from 'node:crypto'
import { readFileSync, unwatchFile, watchFile } from 'node:fs'
import { createSecureContext, type Server as TlsServer } from 'node:tls'
import type { Logger } from 'pino'

export interface TlsFiles {
  /** Certificate chain, PEM. */
  readonly cert: string
  /** Its private key, PEM. */
  readonly key: string
}

export interface TlsContext {
  readonly cert: Buffer
  readonly key: Buffer
  readonly minVersion: 'TLSv1.2'
  readonly ciphers: string
  readonly secureOptions: number
}

/** @throws {TlsFilesError} when the files cannot be read, or do not fit each other. */
export function readTls({ cert, key }: TlsFiles): TlsContext {
  try {
    const context: TlsContext = {
      cert: readFileSync(cert),
      key: readFileSync(key),
      minVersion: 'TLSv1.2',
      ciphers: CIPHERS,
      // Nothing of ours renegotiates, and whoever asks for it wants to make the server work.
      secureOptions: constants.SSL_OP_NO_RENEGOTIATION,
    }
    createSecureContext(context)
    return context
  } catch (error) {
    throw new TlsFilesError(`${cert} and ${key}: ${(error as Error).message}`, { cause: error })
  }
}

export class TlsFilesError extends Error {
  override readonly name = 'TlsFilesError'
}

/**
 * New connections get the new certificate; those that are open go on. A pair that does not fit (one
 * of the two has just been written) is left for the next look.
 *
 * @returns ends it.
 */
export function followTls(servers: readonly TlsServer[], files: TlsFiles, log: Logger): () => void {
  const reload = (): void => {
    try {
      const context = readTls(files)
      for (const server of servers) server.setSecureContext(context)
      log.info('the certificate was read again')
    } catch {
      log.warn('the certificate changed, and cannot be used: the old one stays')
    }
  }
  // Polling sees what notifications miss: links that are replaced, network folders.
  for (const file of [files.cert, files.key]) {
    watchFile(file, { interval: LOOK_MS, persistent: false }, reload)
  }
  return () => {
    for (const file of [files.cert, files.key]) unwatchFile(file, reload)
  }
}

/** With forward secrecy, and authenticated: nothing in CBC. Every browser since 2014 has one. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':')
const LOOK_MS = 2000
