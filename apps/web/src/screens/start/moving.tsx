/** The account leaves this browser, has left it, or was about to when the page was closed. */
import { useState } from 'react'
import { failureOf, sentenceFor } from '../../app/failures.ts'
import { download, takeBack } from '../../app/moving.ts'
import { forgetEverything, resume } from '../../app/session.ts'
import { useLanguage, useWords } from '../../i18n/index.ts'
import type { MovingOut } from '../../platform/ports.ts'
import { Button } from '../../ui/button.tsx'
import { Confirm } from '../../ui/dialog.tsx'
import { Stage } from '../../ui/stage.tsx'
import { MoveOutForm } from '../settings/move-out-form.tsx'

/** The file is made; whether it is saved only the person knows. */
export function MovingOutScreen({ moving }: { readonly moving: MovingOut }) {
  const words = useWords()
  const [isSaved, setSaved] = useState(false)
  const { busy, error, run } = useStep()
  return (
    <Stage title={words('moving.save.title')}>
      <p className="stage-text">{words('moving.save.text')}</p>
      <div className="form">
        <Button
          look={isSaved ? 'plain' : 'main'}
          icon="data"
          className="button-wide"
          onClick={() => {
            download(moving.file)
            setSaved(true)
          }}
        >
          {words('moving.save.button')}
        </Button>
        {isSaved && (
          <>
            <p className="field-hint">{words('moving.saved.text')}</p>
            <Button
              look="main"
              busy={busy}
              className="button-wide"
              onClick={() => run(() => moving.finish().then(resume))}
            >
              {words('moving.saved.button')}
            </Button>
          </>
        )}
        {error}
      </div>
      <Button look="quiet" onClick={() => run(() => moving.cancel().then(resume))}>
        {words('moving.cancel')}
      </Button>
    </Stage>
  )
}

/** `home-moved`: nothing is left here. */
export function Moved() {
  const words = useWords()
  const { busy, error, run } = useStep()
  return (
    <Stage title={words('moved.title')}>
      <p className="stage-text">{words('moved.text')}</p>
      <div className="form">
        <Button busy={busy} className="button-wide" onClick={() => run(forgetEverything)}>
          {words('moved.again')}
        </Button>
        {error}
      </div>
    </Stage>
  )
}

/** `export-unfinished`: is there a file, or is there none? */
export function Unfinished() {
  const words = useWords()
  const [isTakingBack, setTakingBack] = useState(false)
  const { error, run } = useStep()
  return (
    <Stage title={words('unfinished.title')}>
      <p className="stage-text">{words('unfinished.text')}</p>
      <MoveOutForm />
      {error}
      <Button look="quiet" onClick={() => setTakingBack(true)}>
        {words('unfinished.back')}
      </Button>
      <Confirm
        title={words('unfinished.back.title')}
        text={words('unfinished.back.text')}
        action={words('unfinished.back')}
        open={isTakingBack}
        onClose={() => setTakingBack(false)}
        onConfirm={() => run(takeBack)}
      />
    </Stage>
  )
}

/** One thing at a time, and its error in words. */
function useStep() {
  const { words, tag } = useLanguage()
  const [busy, setBusy] = useState(false)
  const [sentence, setSentence] = useState<string>()
  const run = (step: () => Promise<void>) => {
    if (busy) return
    setBusy(true)
    setSentence(undefined)
    step()
      .catch((failure: unknown) => setSentence(sentenceFor(words, failureOf(failure), tag)))
      .finally(() => setBusy(false))
  }
  const error = sentence && (
    <p className="field-error" role="alert">
      {sentence}
    </p>
  )
  return { busy, error, run }
}
