/** The page of every screen before the chats: one column in the middle. */
import type { ReactNode } from 'react'
import { useWords } from '../i18n/index.ts'
import { Mark } from './icon.tsx'

export function Stage({
  step,
  title,
  children,
}: {
  /** 1 to 3 while registering. */
  readonly step?: 1 | 2 | 3 | undefined
  readonly title: ReactNode
  readonly children: ReactNode
}) {
  const words = useWords()
  return (
    <main className="stage">
      <div className="stage-column">
        <p className="stage-brand">
          <Mark size={28} />
          <span>{words('app.name')}</span>
        </p>
        {step && (
          <div className="steps" aria-hidden="true">
            {[1, 2, 3].map((n) => (
              <span key={n} className={n <= step ? 'steps-done' : ''} />
            ))}
          </div>
        )}
        <h1 className="stage-title">{title}</h1>
        {children}
      </div>
    </main>
  )
}
