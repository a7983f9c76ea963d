// biome-ignore-all lint/correctness/noUndeclaredDependencies: the workspace's own packages, of the folder above.
/** `memory.ts HOME`, with --expose-gc: what the SDK holds with this home open and connected. */
import { argv, memoryUsage, stdout } from 'node:process'
import { openCouplet } from '@couplet/client/node'
import { rounded } from '../harness.ts'
import type { Memory } from './report.ts'

const couplet = await openCouplet({ home: argv[2]! })
await couplet.connect()
await couplet.settled()
const conversations = await couplet.conversations()
globalThis.gc!()
const { heapUsed, rss } = memoryUsage()
const memory: Memory = { heap: rounded(heapUsed / 2 ** 20), resident: rounded(rss / 2 ** 20) }
stdout.write(`${JSON.stringify({ ...memory, conversations: conversations.length })}\n`)
await couplet.close()
