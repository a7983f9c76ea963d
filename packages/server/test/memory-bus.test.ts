import { MemoryBus } from '../src/memory-bus.ts'
import { busContract } from './bus.contract.ts'

busContract('memory bus', async () => {
  const shared = new MemoryBus()
  const [one, two] = [shared.end(), shared.end()]
  return { one, two, end: async () => void (await Promise.all([one.close(), two.close()])) }
})
