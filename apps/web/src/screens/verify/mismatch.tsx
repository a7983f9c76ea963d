/** A full stop. Nothing here goes on by default. */
import { useWords } from '../../i18n/index.ts'
import { Button } from '../../ui/button.tsx'
import { Icon } from '../../ui/icon.tsx'

export function Mismatch({
  name,
  onAgain,
  onBack,
}: {
  readonly name: string
  readonly onAgain: () => void
  readonly onBack: () => void
}) {
  const words = useWords()
  return (
    <section className="mismatch" role="alert">
      <Icon name="alert" size={48} />
      <h1>{words('mismatch.title')}</h1>
      <p>{words('mismatch.text', { name })}</p>
      <ul>
        <li>{words('mismatch.do.1')}</li>
        <li>{words('mismatch.do.2')}</li>
        <li>{words('mismatch.do.3')}</li>
      </ul>
      <div className="buttons">
        <Button onClick={onAgain}>{words('mismatch.again')}</Button>
        <Button look="quiet" onClick={onBack}>
          {words('mismatch.back')}
        </Button>
      </div>
    </section>
  )
}
