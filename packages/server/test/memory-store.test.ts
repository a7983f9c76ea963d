import { memoryStore } from '../src/memory-store.ts'
import { mailboxStoreContract } from './mailbox-store.contract.ts'

mailboxStoreContract('memory store', async (capacity) => {
  const store = memoryStore({ capacity })
  return { store, end: () => store.close() }
})
