/** Inputs for parsers: whole ones, damaged in the ways that find bugs, and plain noise. */
import * as fc from 'fast-check'

/** Damaged bytes: mostly of one of the samples, which gets them past the first checks. */
export function damaged(samples: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const sample = fc.constantFrom(...samples)
  const part = fc.oneof(sample, fc.uint8Array({ maxLength: 64 }))
  const mutation = fc.record({
    kind: fc.constantFrom('flip', 'set', 'cut', 'drop', 'insert', 'repeat', 'splice'),
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    length: fc.oneof(fc.nat(8), fc.nat(2000)),
    value: fc.oneof(fc.constantFrom(0, 1, 0x7f, 0x80, 0xff), fc.nat(255)),
    part,
  })
  const mutated = fc
    .tuple(sample, fc.array(mutation, { minLength: 1, maxLength: 6 }))
    .map(([start, mutations]) => mutations.reduce(mutate, start))
  const noise = fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 3000 }))
  return fc.oneof({ weight: 8, arbitrary: mutated }, { weight: 1, arbitrary: noise })
}

/** The same for texts; most of them stay UTF-8. */
export function damagedText(samples: readonly string[]): fc.Arbitrary<string> {
  const bytes = samples.map((one) => Uint8Array.from(Buffer.from(one)))
  const odd = fc.constantFrom(
    '\0',
    '\n',
    '"',
    '\\',
    '{',
    ']',
    '-1',
    '1e999',
    '%',
    '\ud800',
    '🜏',
    ',',
  )
  const seamed = fc
    .tuple(fc.constantFrom(...samples), odd, fc.double({ min: 0, max: 1, noNaN: true }))
    .map(([text, what, at]) => {
      const place = Math.floor(at * text.length)
      return text.slice(0, place) + what + text.slice(place + what.length)
    })
  return fc.oneof(
    damaged(bytes).map((one) => Buffer.from(one).toString('utf8')),
    seamed,
    fc.json(),
    fc.string({ unit: 'binary', maxLength: 200 }),
  )
}

interface Mutation {
  readonly kind: 'flip' | 'set' | 'cut' | 'drop' | 'insert' | 'repeat' | 'splice'
  /** Where, from 0 to 1. */
  readonly at: number
  readonly length: number
  readonly value: number
  readonly part: Uint8Array
}

function mutate(bytes: Uint8Array, { kind, at, length, value, part }: Mutation): Uint8Array {
  const place = Math.floor(at * bytes.length)
  const [head, tail] = [bytes.subarray(0, place), bytes.subarray(place)]
  switch (kind) {
    case 'flip':
    case 'set': {
      const copy = Uint8Array.from(bytes)
      if (place < copy.length) copy[place] = kind === 'set' ? value : copy[place]! ^ (value || 1)
      return copy
    }
    case 'cut':
      return Uint8Array.from(head)
    case 'drop':
      return joined(head, tail.subarray(length))
    case 'insert':
      return joined(head, new Uint8Array(Math.min(length, 16)).fill(value), tail)
    case 'repeat':
      return joined(head, tail.subarray(0, length), tail)
    case 'splice':
      return joined(head, part.subarray(Math.min(place, part.length)))
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts))
}
