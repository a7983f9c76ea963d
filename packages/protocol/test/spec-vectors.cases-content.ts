/** Vectors of message.md, "Content". */

import { RESULT, type Suite } from './spec-vectors.bytes.ts'
import { NOW, seeded } from './spec-vectors.people.ts'
import {
  type Content,
  cat,
  encodeContent,
  fromHex,
  hex,
  u8,
  varint,
} from './spec-vectors.reference.ts'
import type { Plain } from './spec-vectors.story.ts'

export function content(): Suite {
  const base = {
    messageId: hex(seeded('content/id', 16)),
    sequence: 7,
    oldestPending: 5,
    sentAt: NOW,
    expiresAfter: 0,
  }
  const id = cat(u8(0x0a), u8(16), fromHex(base.messageId))
  const bare = {
    messageId: base.messageId,
    sequence: 0,
    oldestPending: 0,
    sentAt: 0,
    expiresAfter: 0,
  }
  return {
    description:
      'Content: encoding, decoding with what a newer version may add, and what is refused.',
    fields: {
      content: 'fields; `text` or `control` is the body',
      encoded: 'Protobuf as a sender writes it (`content`) or may be met (`decoded`)',
      decoded: 'what a reader makes of it; without a body it knows, the kind is unsupported',
      result: RESULT,
    },
    vectors: [
      written('text', { ...base, text: 'Dinner at eight?' }),
      written('text beyond ASCII', { ...base, text: 'Grüße – 你好 🕗\n' }),
      written('byte order mark is text', { ...base, text: '\ufeffBOM' }),
      written('empty text', { ...base, text: '' }),
      written('with expiry', { ...base, expiresAfter: 86_400_000, text: 'gone tomorrow' }),
      written('heartbeat', { ...base, sequence: 0, control: 1 }),
      written('largest numbers', {
        ...base,
        sequence: 2 ** 53 - 1,
        oldestPending: 2 ** 53 - 1,
        text: 'x',
      }),
      written('largest text', { ...base, text: 'x'.repeat(60_000) }),
      readable('message id only', id, bare),
      readable('unknown control', cat(id, fromHex('3802')), bare),
      readable('control of 2^32 + 1', cat(id, fromHex('388180808010')), bare),
      readable('unknown field', cat(id, fromHex('4a026869'), fromHex('320161')), {
        ...bare,
        text: 'a',
      }),
      readable(
        'unknown group',
        cat(id, fromHex('5308015'.padEnd(6, '0')), fromHex('54'), fromHex('320161')),
        { ...bare, text: 'a' },
      ),
      readable(
        'any order, the last of one field counts',
        cat(fromHex('320161'), fromHex('1001'), id, fromHex('320162'), fromHex('1002')),
        { ...bare, sequence: 2, text: 'b' },
      ),
      readable(
        'control behind text: the last body counts',
        cat(id, fromHex('320161'), fromHex('3801')),
        { ...bare, control: 1 },
      ),
      readable(
        'field of another wire type is skipped',
        cat(id, fromHex('150100000032'), fromHex('0161')),
        { ...bare, text: 'a' },
      ),
      ...wellFormed(id, bare),
      unreadable('nothing', Buffer.alloc(0)),
      unreadable('message id of 15 bytes', cat(u8(0x0a), u8(15), seeded('content/short', 15))),
      unreadable('message id of 17 bytes', cat(u8(0x0a), u8(17), seeded('content/long', 17))),
      unreadable('cut in a field', cat(id, fromHex('320561'))),
      unreadable('length of 2^56 in an unknown field', cat(id, fromHex('ba10808080808080808010'))),
      unreadable(
        'number of 11 bytes in an unknown field',
        cat(id, fromHex('f87bffffffffffffffffffff0f')),
      ),
      unreadable('cut in a number', cat(id, fromHex('10ff'))),
      unreadable('number over 2^53 - 1', cat(id, fromHex('10'), varint(2 ** 53))),
      unreadable('number of 2^64', cat(id, fromHex('1080808080808080808002'))),
      unreadable('text that is no UTF-8', cat(id, textField(fromHex('61ff')))),
      unreadable('text with a lone surrogate', cat(id, textField(fromHex('eda080')))),
      unreadable('field number 0', cat(id, fromHex('0001'))),
      unreadable('wire type 7', cat(id, fromHex('4f'))),
      ...illFormed(id),
    ],
  }
}

const GROUP = fromHex('53')
const GROUP_END = fromHex('54')

/** Groups of field 10 within one another, so many deep. */
const nested = (depth: number) =>
  cat(...Array<Buffer>(depth).fill(GROUP), ...Array<Buffer>(depth).fill(GROUP_END))

/** What is Protobuf though no writer writes it so. */
function wellFormed(id: Buffer, bare: Plain): Plain[] {
  const text = fromHex('320161')
  const skipped = (name: string, bytes: Buffer) =>
    readable(name, cat(id, bytes, text), { ...bare, text: 'a' })
  return [
    skipped('largest field number', fromHex('f8ffffff0f01')),
    skipped('number of 10 bytes in an unknown field', fromHex('78ffffffffffffffffff7f')),
    skipped('fixed numbers of 8 and 4 bytes', fromHex('5101020304050607085d01020304')),
    skipped('empty group', nested(1)),
    skipped(
      'group with fields of every type',
      cat(GROUP, fromHex('0805091122334455667788320268690d010203045b5c'), GROUP_END),
    ),
    skipped('groups 100 deep', nested(100)),
    readable('tag of 10 bytes', cat(id, fromHex('9080808080808080800005')), {
      ...bare,
      sequence: 5,
    }),
    readable('number with zeros above it', cat(id, fromHex('10858000')), { ...bare, sequence: 5 }),
    readable('length with zeros above it', cat(id, fromHex('3281800061')), { ...bare, text: 'a' }),
    readable('number 0 behind another', cat(id, fromHex('10051000')), bare),
  ]
}

function illFormed(id: Buffer): Plain[] {
  const flawed = (name: string, bytes: Buffer) => unreadable(name, cat(id, bytes))
  return [
    flawed('groups 101 deep', nested(101)),
    flawed('group without an end', cat(GROUP, fromHex('0805'))),
    flawed('end of a group that did not begin', GROUP_END),
    flawed('end of another group', cat(GROUP, fromHex('5c'))),
    flawed('groups that cross', cat(GROUP, fromHex('5b'), GROUP_END, fromHex('5c'))),
    flawed('length of 2^32 in a group', cat(GROUP, fromHex('0a8080808010'), GROUP_END)),
    flawed(
      'number of 11 bytes in a group',
      cat(GROUP, fromHex('08ffffffffffffffffffff0f'), GROUP_END),
    ),
    flawed('field number 0 in a group', cat(GROUP, fromHex('0001'), GROUP_END)),
    flawed('wire type 6 in a group', cat(GROUP, fromHex('0e'), GROUP_END)),
    flawed('tag of 11 bytes', fromHex('908080808080808080800005')),
    flawed('field number 2^29', fromHex('808080801001')),
    flawed('tag of 2^32 and that of sequence', fromHex('908080801005')),
    flawed('fixed number of 7 bytes', fromHex('5101020304050607')),
    flawed('fixed number of 3 bytes', fromHex('5d010203')),
  ]
}

const written = (name: string, value: Content) => ({
  name,
  content: value,
  encoded: encodeContent(value),
  result: 'valid',
})

const readable = (name: string, encoded: Buffer, value: Plain) => ({
  name,
  encoded,
  decoded: value,
  result: 'valid',
})

const unreadable = (name: string, encoded: Buffer) => ({ name, encoded, result: 'malformed' })

const textField = (bytes: Buffer) => cat(u8(0x32), varint(bytes.length), bytes)
