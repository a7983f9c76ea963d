/**
 * What V8's garbage collector is told. For a program whose every message is some objects and buffers
 * that die at once, two of its guesses are wrong. (bench/README.md)
 *
 * - It frees the memory of dead buffers on a thread of its own, while this one asks for more: the two
 *   wait for each other at malloc's lock, and what one frees the other has to put in order again.
 *   Freeing them here takes a fifth off a relayed message.
 * - Where objects survived for a while, as in a burst, it makes all later ones of that kind old from the
 *   start. They die as young as before, but now they and all that they point to stay until the next
 *   full collection: up to a quarter of a relayed message, in some processes and not in others.
 */
import { setFlagsFromString } from 'node:v8'

/** For the whole process, before it serves anybody. */
export function tuneGarbageCollector(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
  setFlagsFromString('--no-allocation-site-pretenuring')
}
