/** The store of a browser in a real one: the contract of all stores, and what is its own. */
import type { Server } from 'node:http'
import { join } from 'node:path'
import { fromBase64Url, toBase64Url } from '@couplet/wire'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type {
  NamedRecord,
  Plain,
  Store,
  StoredRecord,
  Transaction,
} from '../../packages/client/src/ports.ts'
import { decodeRecord, encodeRecord } from '../../packages/client/src/record-codec.ts'
import { storeContract } from '../../packages/client/test/store.contract.ts'
import { bundle, servePage } from './bundle.ts'
import { startChromium, type TestBrowser } from './chromium.ts'
import type { Call, Outcome, StorePage } from './store-page.ts'

declare global {
  // The page's own functions, called inside `evaluate`.
  var storePage: StorePage
}

let browser: TestBrowser
let server: Server
let url: string
let page: Page

beforeAll(async () => {
  const script = await bundle(join(import.meta.dirname, 'store-page.ts'))
  ;({ server, url } = await servePage(script))
  browser = await startChromium()
  page = await openPage()
}, 300_000)

afterAll(async () => {
  await browser?.close()
  server?.close()
})

let count = 0
storeContract('IndexedDB', () => openStore(page, `contract ${count++}`), {
  knowsInside: false,
  runs: 30,
})

describe('a store in IndexedDB', () => {
  test('keeps what was committed across close and open, and across pages', async () => {
    const store = await openStore(page, 'kept')
    await store.transaction(async (tx) => {
      await tx.put('c', 'p', 3, 'kept')
      await tx.put('c', 'p', 4, 'also')
    })
    await store.close()
    const again = await openStore(await openPage(), 'kept')
    expect(await again.transaction((tx) => tx.get('c', 'p', 3))).toBe('kept')
    expect(await again.transaction((tx) => tx.list('c', 'p'))).toHaveLength(2)
  })

  test('shows nobody what it holds, and keeps its keys in', async () => {
    const store = await openStore(page, 'hidden')
    await store.transaction((tx) =>
      tx.put('rounds', '+12025550199', 1, { rendezvous: 'meet me at the old lighthouse' }),
    )
    const text = await page.evaluate((name) => storePage.dump(name), 'hidden')
    // The search would find what is there: names of collections are not hidden.
    expect(text).toContain('rounds')
    for (const secret of ['2025550199', 'lighthouse', 'rendezvous', 'extractable']) {
      expect(text).not.toContain(secret)
    }
    expect(text).toContain('kept in')
  })

  test('lets whoever opened it last write, and nobody else', async () => {
    const first = await openStore(page, 'two tabs')
    await first.transaction((tx) => tx.put('c', 'p', 0, 'first'))
    const second = await openStore(await openPage(), 'two tabs')
    const late = first.transaction((tx) => tx.put('c', 'p', 0, 'late'))
    await expect(late).rejects.toMatchObject({ code: 'home-locked' })
    await second.transaction((tx) => tx.put('c', 'p', 1, 'second'))
    const all = await second.transaction((tx) => tx.list('c', 'p'))
    expect(all.map(({ value }) => value)).toEqual(['first', 'second'])
  })

  test('has a passphrase when one is set, another when it is changed, none when it is taken away', async () => {
    const store = await openStore(page, 'passphrase')
    await store.transaction(async (tx) => {
      for (let i = 0; i < 700; i++) await tx.put('c', `p ${i % 7}`, i, `value ${i}`)
    })
    const before = await store.transaction(everything)
    await change(undefined, 'first')
    // Whoever had it open is out.
    const late = store.transaction((tx) => tx.put('c', 'p', 0, 'late'))
    await expect(late).rejects.toMatchObject({ code: 'home-locked' })
    await expect(openStore(page, 'passphrase')).rejects.toMatchObject({
      code: 'passphrase-required',
    })
    await expect(openStore(page, 'passphrase', 'wrong')).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
    // Wrapped keys only.
    expect(await page.evaluate((name) => storePage.dump(name), 'passphrase')).not.toMatch(
      /kept in|extractable/,
    )
    await change('first', 'second')
    await expect(openStore(page, 'passphrase', 'first')).rejects.toMatchObject({
      code: 'wrong-passphrase',
    })
    await expect(change('first', 'third')).rejects.toMatchObject({ code: 'wrong-passphrase' })
    const opened = await openStore(page, 'passphrase', 'second')
    expect(await opened.transaction(everything)).toEqual(before)
    // While it is open, which goes on.
    const number = await openNumber(page, 'passphrase', 'second')
    unpack(await page.evaluate((n) => storePage.changeWhileOpen(n, undefined), number))
    const going = storeIn(page, number)
    expect(await going.transaction(everything)).toEqual(before)
    await going.transaction((tx) => tx.put('c', 'after', 0, 'written after'))
    await going.transaction((tx) => tx.delete('c', 'after'))
    const free = await openStore(page, 'passphrase')
    expect(await free.transaction(everything)).toEqual(before)

    async function change(from: string | undefined, to: string | undefined): Promise<void> {
      unpack(
        await page.evaluate(([a, b]) => storePage.changePassphrase('passphrase', a, b), [
          from,
          to,
        ] as const),
      )
    }
  })

  test('refuses a record that was moved to another place', async () => {
    const store = await openStore(page, 'moved')
    await store.transaction(async (tx) => {
      await tx.put('c', 'p', 1, 'one')
      await tx.put('c', 'p', 2, 'two')
    })
    await store.close()
    await page.evaluate(exchangeValues, 'moved')
    const again = await openStore(page, 'moved')
    await expect(again.transaction((tx) => tx.get('c', 'p', 1))).rejects.toMatchObject({
      code: 'unreadable-home',
    })
  })
})

/** Run inside the page: exchanges the values of the first two records. */
async function exchangeValues(name: string): Promise<void> {
  const request = indexedDB.open(name)
  await new Promise((resolve) => request.addEventListener('success', resolve))
  const transaction = request.result.transaction('records-a', 'readwrite')
  const records = transaction.objectStore('records-a')
  const [keys, values] = [records.getAllKeys(), records.getAll()]
  values.addEventListener('success', () => {
    records.put(values.result[1], keys.result[0])
    records.put(values.result[0], keys.result[1])
  })
  await new Promise((resolve) => transaction.addEventListener('complete', resolve))
  request.result.close()
}

async function everything(tx: Transaction): Promise<NamedRecord<Plain>[]> {
  const found: NamedRecord<Plain>[] = []
  for await (const record of tx.everything()) found.push(record)
  return found.toSorted((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1))
}

function keyOf({ partition, position }: NamedRecord<Plain>): string {
  return `${partition} ${position}`
}

async function openPage(): Promise<Page> {
  const opened = await browser.context.newPage()
  await opened.goto(url)
  await opened.waitForFunction(() => 'storePage' in globalThis)
  return opened
}

/** A store in the page, as one in this process. */
async function openStore(where: Page, name: string, passphrase?: string): Promise<Store> {
  return storeIn(where, await openNumber(where, name, passphrase))
}

async function openNumber(where: Page, name: string, passphrase?: string): Promise<number> {
  return unpack(await where.evaluate(([n, p]) => storePage.open(n, p), [name, passphrase] as const))
}

function storeIn(where: Page, number: number): Store {
  return {
    async transaction(work) {
      const begun = unpack(await where.evaluate((n) => storePage.begin(n), number))
      const end = async (succeeds: boolean) =>
        unpack(await where.evaluate(([t, s]) => storePage.end(t, s), [begun, succeeds] as const))
      try {
        const result = await work(transactionIn(where, begun))
        await end(true)
        return result
      } catch (error) {
        await end(false)
        throw error
      }
    },
    scrub: async () => {},
    close: async () => unpack(await where.evaluate((n) => storePage.close(n), number)),
  }
}

function transactionIn(where: Page, number: number): Transaction {
  const call = async <T>(...what: Call): Promise<T> =>
    unpack(await where.evaluate(([t, c]) => storePage.call(t, c), [number, what] as const)) as T
  return {
    async get<T>(collection: string, partition: string, position?: number) {
      const value = await call<string | undefined>('get', collection, partition, position)
      return value === undefined ? undefined : (decode(value) as T)
    },
    put: async (collection, partition, position, value) =>
      call('put', collection, partition, position, toBase64Url(encodeRecord(value))),
    delete: (collection, partition, position) => call('delete', collection, partition, position),
    async list<T extends Plain>(collection: string, partition: string, range = {}) {
      const found = await call<{ position: number; value: string }[]>(
        'list',
        collection,
        partition,
        range,
      )
      return found.map(({ position, value }) => ({
        position,
        value: decode(value) as T,
      })) as StoredRecord<T>[]
    },
    async *everything() {
      for (const record of await call<NamedRecord<string>[]>('everything')) {
        yield { ...record, value: decode(record.value) }
      }
    },
    clear: () => call('clear'),
  }
}

function decode(text: string): Plain {
  return decodeRecord(fromBase64Url(text))
}

/** @throws what the page threw. */
function unpack<T>(outcome: Outcome<T>): T {
  if ('value' in outcome) return outcome.value
  if (!('error' in outcome)) return undefined as T
  const { name, message, code } = outcome.error
  const error = name === 'TypeError' ? new TypeError(message) : new Error(message)
  throw Object.assign(error, code !== undefined && { code })
}
