/** Comes after the first paint: it needs to know what the browser's side can do. */
import { lazy, Suspense } from 'react'

const Restore = lazy(async () => ({ default: (await import('./restore.tsx')).Restore }))

export function RestoreLink({ main = false }: { readonly main?: boolean }) {
  return (
    <Suspense fallback={null}>
      <Restore main={main} />
    </Suspense>
  )
}
