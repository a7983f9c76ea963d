/** A conversation without a terminal: a line of standard input is a message, in and out. */
import { createInterface } from 'node:readline'
import type { ChatView } from './chat-view.ts'
import type { Context } from './context.ts'
import { gapSentence, incomingJson, incomingLine, outgoingJson } from './message-lines.ts'
import { warningSentence } from './warnings.ts'

export function createPlainView(context: Context): ChatView {
  const { terminal } = context
  const lines = createInterface({ input: terminal.streams.input, crlfDelay: Infinity })
  // A reader that has gone away does not stop what is being sent.
  const printJson = (value: Record<string, unknown>): void =>
    void terminal.printJson(value).catch(() => {})
  return {
    // Begun at once: lines that come before anybody iterates would be lost.
    entries: lines[Symbol.asyncIterator](),
    // Programs are told what happens now; for what was, there is `receive`.
    history: () => Promise.resolve(new Set<string>()),
    async incoming(message) {
      if (terminal.json) return terminal.printJson(incomingJson(message))
      if (message.missingBefore > 0) terminal.say(`· ${gapSentence(message)}`)
      await terminal.print(incomingLine(terminal, message, Date.now()))
    },
    outgoing: (message) => printJson(outgoingJson(message)),
    online: (online) => terminal.say(online ? 'couplet: connected again.' : 'couplet: offline.'),
    warning: (warning) => terminal.warn(warning.kind, warningSentence(context, warning)),
    refused() {},
    notice: (sentence) => terminal.say(sentence),
    close: () => lines.close(),
  }
}
