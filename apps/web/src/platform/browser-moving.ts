/** Moving the home of this browser into a file and out of one. Passphrases go to a worker. */
import {
  exportToBlob,
  forgetHome,
  homeState,
  importFromBlob,
  takeBackHomeExport,
} from '@couplet/client/web'
import type { Moving } from './ports.ts'
import { stretchInWorker } from './stretch.ts'

export function browserMoving(): Moving {
  const stretch = stretchInWorker
  return {
    exportHome: (settings) => exportToBlob({ ...settings, stretch }),
    async importHome(file, filePassphrase) {
      // A code that was asked for and never entered is nothing that must be kept.
      if ((await homeState({ stretch })).kind === 'registering') await forgetHome()
      await importFromBlob(file, { filePassphrase, stretch })
    },
    takeBack: (settings) => takeBackHomeExport({ ...settings, stretch }),
  }
}
