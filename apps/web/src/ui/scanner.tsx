/**
 * The camera, looking for a QR code; or a picture of one, where there is no camera. The decoder is
 * loaded here and nowhere else. Pictures never leave the page.
 */
import { type ChangeEvent, useEffect, useRef, useState } from 'react'
import { readCode, type ScannedCode } from '../app/codes.ts'
import { useWords } from '../i18n/index.ts'
import { Button } from './button.tsx'

type Trouble = 'denied' | 'absent' | 'insecure' | 'noCode'

export function Scanner({ onCode }: { readonly onCode: (code: ScannedCode) => void }) {
  const words = useWords()
  const video = useRef<HTMLVideoElement>(null)
  const input = useRef<HTMLInputElement>(null)
  const [trouble, setTrouble] = useState<Trouble>()
  const [isLive, setLive] = useState(false)
  const latest = useRef(onCode)
  useEffect(() => {
    latest.current = onCode
  })

  useEffect(() => {
    const stop = new AbortController()
    if (!isSecureContext) {
      setTrouble('insecure')
    } else {
      look(video.current!, stop.signal, {
        started: () => setLive(true),
        found: (code) => latest.current(code),
      }).catch((error: unknown) => {
        if (stop.signal.aborted) return
        const isDenied = error instanceof DOMException && error.name === 'NotAllowedError'
        setTrouble(isDenied ? 'denied' : 'absent')
      })
    }
    return () => stop.abort()
  }, [])

  const choose = async (event: ChangeEvent<HTMLInputElement>) => {
    const file = event.currentTarget.files?.[0]
    event.currentTarget.value = ''
    if (!file) return
    try {
      const code = await codeIn(await createImageBitmap(file))
      if (code) latest.current(code)
      else setTrouble('noCode')
    } catch {
      setTrouble('noCode')
    }
  }

  return (
    <div className="scanner">
      <div className={`scanner-view ${trouble && trouble !== 'noCode' ? 'scanner-off' : ''}`}>
        <video ref={video} playsInline muted aria-label={words('scan.title')} />
        {isLive && <span className="scanner-frame" aria-hidden="true" />}
      </div>
      <p className="field-hint" role="status">
        {trouble ? words(`scan.${trouble}`) : words(isLive ? 'scan.text' : 'scan.starting')}
      </p>
      <Button onClick={() => input.current?.click()}>{words('scan.picture')}</Button>
      <input
        ref={input}
        type="file"
        accept="image/*"
        hidden
        aria-label={words('scan.picture')}
        onChange={(event) => void choose(event)}
      />
    </div>
  )
}

async function look(
  video: HTMLVideoElement,
  signal: AbortSignal,
  on: { readonly started: () => void; readonly found: (code: ScannedCode) => void },
): Promise<void> {
  const stream = await navigator.mediaDevices.getUserMedia({
    video: { facingMode: 'environment', width: { ideal: 1280 } },
  })
  const end = () => {
    for (const track of stream.getTracks()) track.stop()
  }
  signal.addEventListener('abort', end)
  if (signal.aborted) return end()
  video.srcObject = stream
  await video.play()
  on.started()
  while (!signal.aborted) {
    const code = video.videoWidth > 0 ? await codeIn(video) : undefined
    if (code && !signal.aborted) {
      end()
      on.found(code)
      return
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
  }
}

/** A code in a picture; what does not fit is made smaller. */
async function codeIn(source: HTMLVideoElement | ImageBitmap): Promise<ScannedCode | undefined> {
  const jsQR = await loadDecoder()
  const [width, height] =
    source instanceof HTMLVideoElement
      ? [source.videoWidth, source.videoHeight]
      : [source.width, source.height]
  const scale = Math.min(1, MOST_PIXELS / Math.max(width, height))
  const canvas = new OffscreenCanvas(Math.round(width * scale), Math.round(height * scale))
  const context = canvas.getContext('2d', { willReadFrequently: true })!
  context.drawImage(source, 0, 0, canvas.width, canvas.height)
  const { data } = context.getImageData(0, 0, canvas.width, canvas.height)
  const found = jsQR(data, canvas.width, canvas.height, { inversionAttempts: 'dontInvert' })
  return found
    ? readCode({ text: found.data, bytes: Uint8Array.from(found.binaryData) })
    : undefined
}

/** One script for every kind of module: where its function lies depends on who loads it. */
async function loadDecoder(): Promise<Decoder> {
  const { default: found } = (await import('jsqr')) as unknown as {
    readonly default: Decoder | { readonly default: Decoder }
  }
  return typeof found === 'function' ? found : found.default
}

type Decoder = (
  pixels: Uint8ClampedArray,
  width: number,
  height: number,
  options: { readonly inversionAttempts: 'dontInvert' },
) => { readonly data: string; readonly binaryData: readonly number[] } | null

const LOOK_EVERY_MS = 120
const MOST_PIXELS = 1000
