/** The home in this browser's IndexedDB, which the SDK keeps sealed. Passphrases go to a worker. */
import {
  beginRegistration,
  changePassphrase,
  completeRegistration,
  forgetHome,
  homeState,
  openCouplet,
  requestPersistence,
} from '@couplet/client/web'
import type { HomeAccess } from './ports.ts'
import { stretchInWorker } from './stretch.ts'

export function browserHome(): HomeAccess {
  const stretch = stretchInWorker
  return {
    homeState: (settings) => homeState({ ...settings, stretch }),
    beginRegistration: (settings) => beginRegistration({ ...settings, stretch }),
    completeRegistration: (settings) => completeRegistration({ ...settings, stretch }),
    openCouplet: (settings) => openCouplet({ ...settings, stretch }),
    changePassphrase: (settings) => changePassphrase({ ...settings, stretch }),
    forgetHome: () => forgetHome(),
    requestPersistence,
  }
}
