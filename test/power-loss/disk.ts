/**
 * A disk that loses power: what was synced is there, and of what was not, anything may be, down to
 * single sectors and in any order.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { Random } from '../torture/random.ts'
import type { Effect } from './recording.ts'

type Change = Extract<Effect, { kind: 'write' | 'truncate' }>

/**
 * Writes the files as the disk may have them when the power fails after `effects`.
 *
 * @param place - where a recorded file is written to; what is there before is what it began with.
 */
export function losePower(
  effects: readonly Effect[],
  place: (file: string) => string,
  random: Random,
): void {
  for (const file of filesOf(effects)) {
    const path = place(file)
    let content: Buffer = existsSync(path) ? readFileSync(path) : Buffer.alloc(0)
    const unsynced: Change[] = []
    for (const effect of effects) {
      if (effect.kind === 'said' || effect.file !== file) continue
      if (effect.kind === 'sync') {
        for (const change of unsynced.splice(0)) content = changed(content, change)
      } else unsynced.push(effect)
    }
    for (const change of survivors(unsynced, random)) content = changed(content, change)
    writeFileSync(path, content)
  }
}

/** All of what was not synced, nothing of it, or any part of it. */
function survivors(changes: readonly Change[], random: Random): readonly Change[] {
  const luck = random.pick([0, 0.5, 0.5, 1])
  return changes
    .flatMap((change) => (change.kind === 'write' ? sectors(change) : [change]))
    .filter(() => random.chance(luck))
}

function sectors({ file, position, bytes }: Change & { kind: 'write' }): readonly Change[] {
  const pieces: Change[] = []
  for (let at = 0; at < bytes.length; at += SECTOR_BYTES) {
    const piece = bytes.subarray(at, at + SECTOR_BYTES)
    pieces.push({ kind: 'write', file, position: position + at, bytes: piece })
  }
  return pieces
}

function changed(content: Buffer, change: Change): Buffer {
  if (change.kind === 'truncate') {
    const cut = Buffer.alloc(change.length)
    content.copy(cut)
    return cut
  }
  const end = change.position + change.bytes.length
  const grown =
    end > content.length ? Buffer.concat([content, Buffer.alloc(end - content.length)]) : content
  grown.set(change.bytes, change.position)
  return grown
}

function filesOf(effects: readonly Effect[]): ReadonlySet<string> {
  return new Set(effects.flatMap((effect) => (effect.kind === 'said' ? [] : [effect.file])))
}

const SECTOR_BYTES = 512
