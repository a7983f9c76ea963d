/**
 * The built web client, as the server sends it: every file is read once, at the start, and answered
 * from memory under exactly its own name. So there is no path to climb out of.
 *
 * Files under `assets/` carry a hash of their content in their names and may be kept for ever; the
 * others are asked for again each time, and answered with 304 when they are still the same.
 */
import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { extname, join, relative, sep } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

interface WebFile {
  readonly path: string
  readonly type: string
  readonly etag: string
  readonly cacheControl: string
  /** By content coding; `identity` is always there. */
  readonly bodies: Readonly<Partial<Record<Coding, Buffer>>> & { readonly identity: Buffer }
}

type Coding = 'br' | 'gzip' | 'identity'

/** Whether there is a built client in this folder. */
export function isWebApp(folder: string): boolean {
  return existsSync(join(folder, START_PAGE))
}

/** Registers a route for each file, and `/` for the start page. */
export function registerWebApp(app: FastifyInstance, folder: string): void {
  for (const file of filesOf(folder)) {
    const handler = (request: FastifyRequest, reply: FastifyReply) => answer(file, request, reply)
    app.get(file.path, handler)
    if (file.path === `/${START_PAGE}`) app.get('/', handler)
  }
}

async function answer(file: WebFile, request: FastifyRequest, reply: FastifyReply): Promise<void> {
  reply.headers({ 'cache-control': file.cacheControl, etag: file.etag, vary: 'accept-encoding' })
  if (request.headers['if-none-match'] === file.etag) {
    await reply.code(304).send()
    return
  }
  const coding = bestCoding(file, request.headers['accept-encoding'])
  if (coding !== 'identity') reply.header('content-encoding', coding)
  await reply.type(file.type).send(file.bodies[coding])
}

function bestCoding({ bodies }: WebFile, accepted: string | string[] | undefined): Coding {
  const names = String(accepted ?? '')
    .split(',')
    .filter((name) => !/;\s*q=0(?:\.0*)?\s*$/.test(name))
    .map((name) => name.split(';', 1)[0]!.trim().toLowerCase())
  return CODINGS.find((coding) => bodies[coding] && names.includes(coding)) ?? 'identity'
}

function filesOf(folder: string): WebFile[] {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
  return names.filter((name) => TYPES.has(extname(name))).map((name) => readWebFile(folder, name))
}

function readWebFile(folder: string, name: string): WebFile {
  const identity = readFileSync(join(folder, name))
  const path = `/${name.split(sep).join('/')}`
  const compressed = (suffix: string) => {
    const file = join(folder, name + suffix)
    return existsSync(file) ? readFileSync(file) : undefined
  }
  const br = compressed('.br')
  const gzip = compressed('.gz')
  return {
    path,
    type: TYPES.get(extname(name))!,
    etag: `"${createHash('sha256').update(identity).digest('base64url').slice(0, 22)}"`,
    cacheControl: path.startsWith('/assets/') ? KEEP : ASK_AGAIN,
    bodies: { identity, ...(br && { br }), ...(gzip && { gzip }) },
  }
}

const START_PAGE = 'index.html'
const CODINGS: readonly Coding[] = ['br', 'gzip']
const KEEP = 'public, max-age=31536000, immutable'
const ASK_AGAIN = 'no-cache'

/** What may be sent; the keys are all that a build consists of. */
const TYPES: ReadonlyMap<string, string> = new Map([
  ['.html', 'text/html; charset=utf-8'],
  ['.js', 'text/javascript; charset=utf-8'],
  ['.css', 'text/css; charset=utf-8'],
  ['.svg', 'image/svg+xml'],
  ['.png', 'image/png'],
  ['.woff2', 'font/woff2'],
  ['.webmanifest', 'application/manifest+json'],
])
