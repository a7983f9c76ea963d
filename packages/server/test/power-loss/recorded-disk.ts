/** A disk whose power can fail at any moment of the past. (recording-disk.c) */
import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * Compiles what records. @returns the path for `LD_PRELOAD`.
 *
 * @throws when there is no C compiler and none can be installed; the words say what to do.
 */
export function compileRecorder(folder: string): string {
  const library = join(folder, 'recording-disk.so')
  const source = join(import.meta.dirname, 'recording-disk.c')
  const args = ['-shared', '-fPIC', '-O1', '-o', library, source, '-ldl', '-lpthread']
  if (spawnSync('gcc', ['--version']).status !== 0) installCompiler()
  const compiled = spawnSync('gcc', args, { encoding: 'utf8' })
  if (compiled.status !== 0) {
    throw new Error(
      `needs a C compiler: install the packages gcc and libc6-dev. ${compiled.stderr}`,
    )
  }
  return library
}

function installCompiler(): void {
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...args: readonly string[]): unknown =>
    spawnSync('apt-get', args, { stdio: ['ignore', 'ignore', 'inherit'], env })
  apt('update', '-q')
  apt('install', '-y', '-q', '--no-install-recommends', 'gcc', 'libc6-dev')
}

/** Whether the disk had got so far with one sector, or one cut of a file, that nobody waited for. */
export type Survives = () => boolean

/** Goes through the journal once, forwards. */
export class RecordedDisk {
  readonly #journal: Buffer
  readonly #files = new Map<string, RecordedFile>()
  #position = 0

  /** @param folder - as it was before the recording. */
  constructor(folder: string, journal: Buffer) {
    this.#journal = journal
    for (const name of readdirSync(folder)) {
      this.#files.set(name, new RecordedFile(readFileSync(join(folder, name))))
    }
  }

  /**
   * The files that are there if the power fails when the journal is so long.
   *
   * @param position - not before that of the last call.
   */
  filesAt(position: number, survives: Survives): ReadonlyMap<string, Buffer> {
    while (this.#position < position) this.#step()
    const files = Array.from(
      this.#files,
      ([name, file]) => [name, file.afterLoss(survives)] as const,
    )
    return new Map(files)
  }

  #step(): void {
    const journal = this.#journal
    const kind = String.fromCodePoint(journal[this.#position]!)
    const nameEnd = this.#position + 2 + journal[this.#position + 1]!
    const name = journal.toString('utf8', this.#position + 2, nameEnd)
    const offset = Number(journal.readBigUInt64LE(nameEnd))
    const length = journal.readUInt32LE(nameEnd + 8)
    const bytes = journal.subarray(nameEnd + 12, nameEnd + 12 + length)
    this.#position = nameEnd + 12 + length
    if (kind === 'u') {
      this.#files.delete(name)
      return
    }
    let file = this.#files.get(name)
    if (!file) {
      file = new RecordedFile(Buffer.alloc(0))
      this.#files.set(name, file)
    }
    if (kind === 's') file.synchronize()
    else file.change(kind === 't' ? { cutTo: offset } : { offset, bytes })
  }
}

type Change = { readonly cutTo: number } | { readonly offset: number; readonly bytes: Buffer }

class RecordedFile {
  readonly #durable: Image
  /** Since somebody last waited for the disk. */
  #pending: Change[] = []

  constructor(bytes: Buffer) {
    this.#durable = new Image(bytes)
  }

  change(change: Change): void {
    this.#pending.push(change)
  }

  synchronize(): void {
    for (const change of this.#pending) this.#durable.apply(change, () => true)
    this.#pending = []
  }

  afterLoss(survives: Survives): Buffer {
    const image = new Image(this.#durable.bytes)
    for (const change of this.#pending) image.apply(change, survives)
    return image.bytes
  }
}

class Image {
  #space: Buffer
  #length: number

  constructor(bytes: Buffer) {
    this.#space = Buffer.from(bytes)
    this.#length = bytes.length
  }

  get bytes(): Buffer {
    return this.#space.subarray(0, this.#length)
  }

  apply(change: Change, survives: Survives): void {
    if ('cutTo' in change) {
      if (survives()) this.#resize(change.cutTo)
      return
    }
    const { offset, bytes } = change
    // A disk writes sectors, each of them whole or not at all.
    for (let from = 0; from < bytes.length; ) {
      const toEdge = SECTOR_BYTES - ((offset + from) % SECTOR_BYTES)
      const to = Math.min(bytes.length, from + toEdge)
      if (survives()) this.#write(offset + from, bytes.subarray(from, to))
      from = to
    }
  }

  #write(offset: number, bytes: Buffer): void {
    if (offset + bytes.length > this.#length) this.#resize(offset + bytes.length)
    bytes.copy(this.#space, offset)
  }

  #resize(length: number): void {
    if (length > this.#space.length) {
      const larger = Buffer.alloc(Math.max(length, 2 * this.#space.length))
      this.#space.copy(larger, 0, 0, this.#length)
      this.#space = larger
    }
    if (length < this.#length) this.#space.fill(0, length, this.#length)
    this.#length = length
  }
}

const SECTOR_BYTES = 512
