/** Exit codes, after sysexits.h. */
export const EXIT = {
  ok: 0,
  /** What was asked for is not there; nothing has changed. */
  nothing: 1,
  /** The command line is wrong. */
  usage: 64,
  /** The store failed while the server ran. */
  software: 70,
  /** The address cannot be had. */
  unavailable: 69,
  /** The data folder cannot be used. */
  cannotCreate: 73,
  /** The configuration is wrong. */
  config: 78,
} as const
