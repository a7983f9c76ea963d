/** The few words of the package `smpp` that we use; it brings no types. */
declare module 'smpp' {
  interface Answer {
    readonly command_status: number
  }
  type Fields = Readonly<Record<string, string | number>>
  interface Session {
    on(event: 'connect' | 'secureConnect' | 'close', listener: () => void): this
    on(event: 'error', listener: (error: Error) => void): this
    bind_transmitter(fields: Fields, answered: (answer: Answer) => void): boolean
    submit_sm(fields: Fields, answered: (answer: Answer) => void): boolean
    unbind(): boolean
    close(): void
    destroy(): void
  }
  function connect(options: {
    readonly host: string
    readonly port: number
    readonly tls: boolean
    readonly servername?: string
  }): Session
  const smpp: { connect: typeof connect }
  namespace smpp {
    export type { Session }
  }
  export default smpp
}
