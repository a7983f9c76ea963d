/** A film of a QR code for Chromium's fake camera: YUV4MPEG2, a few frames that are shown for ever. */

/** @param path - of squares `Mx yh1v1h-1z`, as the client draws codes. */
export function videoOf(path: string, modules: number): Buffer {
  const luma = new Uint8Array(WIDTH * HEIGHT).fill(WHITE)
  const size = Math.floor((HEIGHT * 0.8) / modules)
  const left = Math.floor((WIDTH - size * modules) / 2)
  const top = Math.floor((HEIGHT - size * modules) / 2)
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1/g)) {
    for (let row = 0; row < size; row++) {
      const from = (top + Number(y) * size + row) * WIDTH + left + Number(x) * size
      luma.fill(BLACK, from, from + size)
    }
  }
  const chroma = new Uint8Array((WIDTH * HEIGHT) / 2).fill(128)
  const frame = Buffer.concat([Buffer.from('FRAME\n'), luma, chroma])
  const header = Buffer.from(`YUV4MPEG2 W${WIDTH} H${HEIGHT} F10:1 Ip A1:1 C420\n`)
  return Buffer.concat([header, ...Array.from({ length: 3 }, () => frame)])
}

const WIDTH = 640
const HEIGHT = 480
const WHITE = 235
const BLACK = 16
