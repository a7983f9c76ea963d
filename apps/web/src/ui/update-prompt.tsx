/** A new version waits until it is asked for: nothing is swapped under a half-written message. */
import { useEffect, useState } from 'react'
import { useWords } from '../i18n/index.ts'
import { webPlatform } from '../platform/index.ts'
import { Button } from './button.tsx'

export function UpdatePrompt() {
  const words = useWords()
  const [isReady, setReady] = useState(false)
  useEffect(() => {
    void webPlatform.updates?.onReady(() => setReady(true))
  }, [])
  if (!isReady) return null
  return (
    <div className="strip strip-good" role="status">
      <span>{words('update.ready')}</span>
      <Button look="quiet" onClick={() => void webPlatform.updates?.use()}>
        {words('update.load')}
      </Button>
    </div>
  )
}
