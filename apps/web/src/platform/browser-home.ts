/** The home in this browser's IndexedDB, which the SDK keeps sealed. Passphrases go to a worker. */
import {
  beginNumberChange,
  beginRegistration,
  changePassphrase,
  completeRegistration,
  finishNumberChange,
  forgetHome,
  homeState,
  openCouplet,
  requestPersistence,
} from '@couplet/client/web'
import type { HomeAccess, HomeState, Unlock } from './ports.ts'
import { stretchInWorker } from './stretch.ts'

export function browserHome(): HomeAccess {
  const stretch = stretchInWorker
  return {
    homeState: stateOfHome,
    beginRegistration: (settings) => beginRegistration({ ...settings, stretch }),
    completeRegistration: (settings) => completeRegistration({ ...settings, stretch }),
    beginNumberChange: (settings) => beginNumberChange({ ...settings, stretch }),
    finishNumberChange: (settings) => finishNumberChange({ ...settings, stretch }),
    openCouplet: (settings) => openCouplet({ ...settings, stretch }),
    changePassphrase: (settings) => changePassphrase({ ...settings, stretch }),
    forgetHome: () => forgetHome(),
    requestPersistence,
  }
}

async function stateOfHome(settings: Unlock = {}): Promise<HomeState> {
  try {
    return await homeState({ ...settings, stretch: stretchInWorker })
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'home-moved') return { kind: 'moved' }
    if (code === 'export-unfinished') return { kind: code }
    throw error
  }
}
