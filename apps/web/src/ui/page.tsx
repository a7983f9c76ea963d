/** A page in the pane beside the list: a header with the way back, and a column. */
import type { ReactNode } from 'react'
import { goBack } from '../app/places.ts'
import { useWords } from '../i18n/index.ts'
import { IconButton } from './button.tsx'

export function Page({
  title,
  children,
  onBack = goBack,
}: {
  readonly title: string
  readonly children: ReactNode
  readonly onBack?: () => void
}) {
  const words = useWords()
  return (
    <section className="page" aria-label={title}>
      <header className="page-header">
        <IconButton
          name={words('common.back')}
          icon="back"
          className="back-always"
          onClick={onBack}
        />
        <h1 className="page-title">{title}</h1>
      </header>
      <div className="page-scroll">
        <div className="page-column">{children}</div>
      </div>
    </section>
  )
}
