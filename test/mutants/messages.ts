/** Of what a message is made of: EtM, the envelope, its content. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const MESSAGES_MUTANTS: readonly Mutant[] = [
  // EtM
  mutant(
    'EtM decrypts before it compares the tag',
    [
      SOURCE.etm,
      'if (!equalBytes(expected, sealed.subarray(body.length))) return undefined',
      'primitives.aesCbcDecrypt(keys.subarray(0, 32), body.subarray(0, 16), body.subarray(16))\n' +
        '  if (!equalBytes(expected, sealed.subarray(body.length))) return undefined',
    ],
    [TEST.etm, 'nothing is decrypted before'],
  ),
  mutant(
    'EtM compares no tag',
    [
      SOURCE.etm,
      'if (!equalBytes(expected, sealed.subarray(body.length)))',
      'if (expected.length === 0)',
    ],
    [TEST.etm, 'a change of any bit'],
  ),
  mutant(
    'EtM compares 8 bytes of the tag, as Signal and Olm do',
    [
      SOURCE.etm,
      'equalBytes(expected, sealed.subarray(body.length))',
      'equalBytes(expected.subarray(0, 8), sealed.subarray(body.length, body.length + 8))',
    ],
    [TEST.attacks, 'a truncated tag is no tag'],
  ),
  mutant(
    'EtM leaves the length of the associated data out of the MAC',
    [SOURCE.etm, 'prefix, ...parts)', '...parts)'],
    [TEST.etm, 'no byte can move'],
  ),
  mutant(
    'EtM leaves the associated data out of the MAC',
    [SOURCE.etm, 'prefix, ...parts)', 'prefix, parts.at(-1)!)'],
    [TEST.etm, 'another key, associated data'],
  ),
  mutant(
    'EtM leaves the IV out of the MAC',
    [SOURCE.etm, 'prefix, ...parts)', 'prefix, ...parts.slice(0, -1), parts.at(-1)!.subarray(16))'],
    [TEST.etm, 'a change of any bit'],
  ),

  // Envelope and content
  mutant(
    'padding is stripped without being checked',
    [
      SOURCE.envelope,
      'return end >= 0 && padded[end] === 0x80 ? padded.subarray(0, end) : undefined',
      'return padded.subarray(0, Math.max(end, 0))',
    ],
    [TEST.envelope, 'padding that is not'],
  ),
  mutant(
    'an envelope is one byte too small at a bucket’s boundary',
    [SOURCE.envelope, 'overhead + content.length + 2', 'overhead + content.length + 1'],
    [TEST.envelope, 'boundaries of each bucket'],
  ),
  mutant(
    'envelopes of any size are parsed',
    [SOURCE.envelope, ' && (size & (size - 1)) === 0', ''],
    [TEST.envelope, 'a size that is no power of two'],
  ),
  mutant(
    'a preamble that contradicts itself is parsed',
    [SOURCE.envelope, 'if (!withHandshake && (keyType', 'if (keyType > 9 && (keyType'],
    [TEST.envelope, 'a handshake without a prekey id'],
  ),
  mutant(
    'an envelope without room for a message is parsed',
    [SOURCE.envelope, 'sealed.length < ETM_OVERHEAD_BYTES + BLOCK_BYTES', 'sealed.length < 1'],
    [TEST.envelope, 'leaves no room for a message'],
  ),
  mutant(
    'a text is taken as Latin-1',
    [SOURCE.content, 'text: fromUtf8(field.value)', 'text: String.fromCharCode(...field.value)'],
    [TEST.content, 'text that is not UTF-8'],
  ),
  mutant(
    'lengths are their lower 32 bits',
    [SOURCE.protobuf, 'this.#bytes(this.#varint())', 'this.#bytes(this.#varint() >>> 0)'],
    [TEST.content, 'lengths beyond the content'],
  ),
  {
    name: 'a field may reach beyond the content',
    edits: [
      {
        file: SOURCE.protobuf,
        find: 'length <= this.#input.length - this.#at',
        replace: 'length >= 0',
      },
      {
        file: SOURCE.protobuf,
        find: 'this.#at += length',
        replace: 'this.#at = Math.min(this.#at + length, this.#input.length)',
      },
    ],
    killedBy: [TEST.content, 'lengths beyond the content'],
  },
  mutant(
    'a number in a content may have any length',
    [SOURCE.protobuf, 'i < MAX_VARINT_BYTES && ', ''],
    [TEST.content, 'numbers of more than 10 bytes'],
  ),
  mutant(
    'a number in a content may have 5 bytes',
    [SOURCE.protobuf, 'const MAX_VARINT_BYTES = 10', 'const MAX_VARINT_BYTES = 5'],
    [TEST.content, 'every field survives'],
  ),
  mutant(
    'a number too large for a sequence is cut',
    [SOURCE.content, 'if (!Number.isSafeInteger(value))', 'if (value < 0)'],
    [TEST.content, 'a number that is no safe integer'],
  ),
  mutant(
    'tags are their lower 32 bits',
    [SOURCE.protobuf, 'tag <= MAX_TAG && ', ''],
    [TEST.content, 'tags are numbers like others'],
  ),
  mutant(
    'a field of number 0 is taken',
    [SOURCE.protobuf, ' && tag >= 1 << TYPE_BITS', ''],
    [TEST.content, 'tags are numbers like others'],
  ),
  mutant(
    'groups are nested without a limit',
    [SOURCE.protobuf, 'open.length <= MAX_GROUP_DEPTH', 'open.length >= 0'],
    [TEST.content, 'groups may be 100 deep'],
  ),
  mutant(
    'a group ends with any end',
    [SOURCE.protobuf, 'open.pop() === tag >>> TYPE_BITS', 'open.pop() !== undefined'],
    [TEST.content, 'groups are skipped whole'],
  ),
  mutant(
    'a field of wire type 6 or 7 has four bytes',
    [SOURCE.protobuf, 'type === TYPE.fixed64 || type === TYPE.fixed32', 'type !== TYPE.groupEnd'],
    [TEST.content, 'tags are numbers like others'],
  ),
  mutant(
    'texts of any length are taken',
    [SOURCE.content, 'encoded.length > MAX_TEXT_BYTES', 'encoded.length > 2 * MAX_TEXT_BYTES'],
    [TEST.content, 'a text of 60,000 bytes is the longest'],
  ),
  mutant(
    'message ids of any length are taken',
    [SOURCE.content, 'messageId.length !== MESSAGE_ID_BYTES', 'messageId.length === 1'],
    [TEST.content, 'a message id that is not 16 bytes'],
  ),
]
