/** Which byte arrays code makes, to see what it leaves in them. */
import { vi } from 'vitest'

/** Every array that has memory of its own, made by `new` or `slice` until `stop`, in order. */
export function recordArrays(): {
  readonly made: readonly Uint8Array[]
  readonly stop: () => void
} {
  const made: Uint8Array[] = []
  const Plain = Uint8Array
  const recording = new Proxy(Plain, {
    construct(target, input) {
      const bytes = Reflect.construct(target, input) as Uint8Array
      made.push(bytes)
      return bytes
    },
  })
  vi.stubGlobal('Uint8Array', recording)
  const slicing = vi.spyOn(Uint8Array.prototype, 'slice')
  slicing.mockImplementation(function record(this: Uint8Array, ...range) {
    const bytes = new Plain(this.subarray(...range))
    made.push(bytes)
    return bytes
  })
  const stop = (): void => {
    vi.unstubAllGlobals()
    slicing.mockRestore()
  }
  return { made, stop }
}

export function isBlank(bytes: Uint8Array): boolean {
  return bytes.every((byte) => byte === 0)
}
