/**
 * V8 frees the memory of dead buffers on a thread of its own, while this one asks for more: the two wait
 * for each other at malloc's lock, and what one frees the other has to put in order again. For a program
 * whose every message is some buffers that die at once, freeing them here costs less by far: a relayed
 * message a fifth of its CPU, one sealed and opened a third. (bench/README.md)
 */
import { setFlagsFromString } from 'node:v8'

/** For the whole process. */
export function freeBuffersOnThisThread(): void {
  setFlagsFromString('--no-concurrent-array-buffer-sweeping')
}
