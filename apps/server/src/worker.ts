/** One of several processes that serve: started by `workers.ts`, and ended with it. */
import cluster from 'node:cluster'
import { joinHub, type Server } from '@couplet/server'
import { openEngine } from './engine.ts'
import { tuneGarbageCollector } from './garbage-collector.ts'
import { startServer } from './serve.ts'
import type { FromWorker, Question, ToWorker, WorkerTask } from './workers.ts'

tuneGarbageCollector()
const { config, worker, hub } = JSON.parse(process.env.COUPLET_WORKER_TASK!) as WorkerTask
// A terminal's Ctrl-C reaches everybody; the one who started us says when to stop.
process.on('SIGINT', () => {})
process.on('SIGTERM', () => {})
/** Until there is something to close. */
let stop = (): void => process.exit(0)
process.on('message', (message) => {
  if (message === 'stop') stop()
})
process.on('disconnect', () => stop())
// What cannot be told any more, since the one who started us has been killed; see above. The module
// emits every error of the process once more, on the worker.
process.on('error' as 'disconnect', () => {})
cluster.worker!.on('error', () => {})

try {
  const server = await startServer(config, await (hub ? joinHub(hub, worker) : openEngine(config)))
  stop = (): void => {
    void server.close().finally(() => process.exit(0))
  }
  void server.failed.then(() => server.close()).finally(() => process.exit(1))
  process.on('message', (message: ToWorker | 'stop') => {
    if (message === 'stop') return
    const { number, question } = message
    const answer = question.kind === 'metrics' ? server.metrics() : goneFrom(server, question)
    answer.then(
      (value) => tell({ kind: 'answer', number, value }),
      // Who asked waits no longer than for one that hangs.
      () => {},
    )
  })
  tell({ kind: 'listening', url: server.url })
} catch (error) {
  const { message, code } = error as NodeJS.ErrnoException
  tell({ kind: 'unable', message, code })
  process.exitCode = 1
  process.disconnect?.()
}

async function goneFrom(server: Server, { identityId, how }: Question & { kind: 'gone' }) {
  await server.gone(Buffer.from(identityId, 'base64url'), how)
  return true
}

function tell(message: FromWorker): void {
  process.send?.(message)
}
