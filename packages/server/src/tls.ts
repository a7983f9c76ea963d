/** TLS in the server itself: 1.2 and newer, with a certificate that is read again when it changes. */
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
}

/** @throws {TlsFilesError} when the files cannot be read, or do not fit each other. */
export function readTls({ cert, key }: TlsFiles): TlsContext {
  try {
    const context: TlsContext = {
      cert: readFileSync(cert),
      key: readFileSync(key),
      minVersion: 'TLSv1.2',
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
export function followTls(server: TlsServer, files: TlsFiles, log: Logger): () => void {
  const reload = (): void => {
    try {
      server.setSecureContext(readTls(files))
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

const LOOK_MS = 2000
