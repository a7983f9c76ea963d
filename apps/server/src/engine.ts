/** Which engine a configuration asks for. */
import { type Engine, loadClusterKey } from '@couplet/server'
import type { Config } from './config.ts'

/** Nothing for the embedded store, which the server opens by itself. */
export async function openEngine({
  store,
  data,
  capacity,
}: Pick<Config, 'store' | 'data' | 'capacity'>): Promise<Engine | undefined> {
  if (!store) return undefined
  const clusterKey = loadClusterKey(data, false)
  const { natsEngine } = await import('@couplet/server/nats')
  return natsEngine({ url: store, clusterKey, capacity })
}

/** For people and logs. */
export function withoutPasswords(store: string): string {
  return store.replaceAll(/\/\/[^@/,]*@/g, '//')
}
