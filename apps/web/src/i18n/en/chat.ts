/** Words for one conversation. */
export const chat = {
  'chat.log': 'Messages with {name}',
  'chat.verified': 'Verified',
  'chat.unverified': 'Not verified',
  'chat.changed': 'Safety number changed',
  'chat.verify': 'Verify {name}',
  'chat.person': 'About {name}',
  'chat.timer': 'Disappearing messages: {time}',
  'chat.timer.off': 'Disappearing messages: off',
  'chat.message': 'Message',
  'chat.message.to': 'Message to {name}',
  'chat.send': 'Send',
  'chat.emoji': 'Emoji',
  'chat.paused': 'Sending is paused until you decide about the new key',
  'chat.blocked': 'You have blocked {name}.',
  'chat.unblock': 'Unblock',
  'chat.new': 'New messages',
  'chat.latest': 'Jump to the latest message',
  'chat.latest.new': {
    one: '{count} new message. Jump to it',
    other: '{count} new messages. Jump to them',
  },
  'chat.begin':
    'Messages are end-to-end encrypted. Nobody outside of this chat can read them, the server included.',
  'chat.begin.verify': 'Compare safety numbers',
  'chat.gap': {
    one: 'One earlier message is still on {name}’s device.',
    other: '{count} earlier messages are still on {name}’s device.',
  },
  'chat.gap.hint': 'It arrives by itself when both of you are online.',
  'chat.today': 'Today',
  'chat.yesterday': 'Yesterday',
  'chat.fromChanged': 'Sent with a new key that you have not accepted',
  'chat.waiting': {
    one: 'One message waits here for {name} to come online. It goes out by itself.',
    other: '{count} messages wait here for {name} to come online. They go out by themselves.',
  },
  'chat.quote': 'Replying to {name}',
  'chat.quote.remove': 'Do not reply',

  'message.menu': 'Message options',
  'message.reply': 'Reply',
  'message.copy': 'Copy text',
  'message.delete': 'Delete here',
  'message.details': 'Details',
  'message.label.in': '{name}: {text}, {time}',
  'message.label.out': 'You: {text}, {time}, {state}',
  'message.deleted': 'Deleted from this device',
  'message.expand': 'Show all',

  'state.pending': 'Pending',
  'state.sent': 'Sent',
  'state.delivered': 'Delivered',
  'state.waiting-for-room': 'Waiting for room',
  'state.failed': 'Not delivered',
  'state.pending.why': 'The server does not have it yet. It goes out with the next connection.',
  'state.pending.held': 'Waits here until you have decided about {name}’s new session.',
  'state.sent.why': 'The server has it. {name}’s device has not proven yet that it has it.',
  'state.delivered.why': '{name}’s device has decrypted it, and has proven so.',
  'state.waiting-for-room.why':
    '{name}’s mailbox was full. This goes out again by itself when there is room; this device must be online then.',
  'state.failed.why': 'It will not be sent.',

  'failure.unknown-recipient': 'Nobody is registered under this number.',
  'failure.key-changed': '{name}’s key has changed. Decide about it, and this goes out.',
  'failure.expired': 'Its time was over before it could be delivered.',

  'details.title': 'Message details',
  'details.sent': 'Sent',
  'details.received': 'Received',
  'details.state': 'State',
  'details.since': 'Since',
  'details.expires': 'Disappears',
  'details.id': 'Message id',
  'details.protection': 'Protection',
  'details.protection.text':
    'A key of its own from a Double Ratchet, AES-256-CBC with HMAC-SHA-256; the session from RSA-3072, X25519 and ML-KEM-768.',

  'delete.title': 'Delete this message here?',
  'delete.text':
    'It disappears from this device only. If it is not delivered yet, it will not be sent.',

  'timer.title': 'Disappearing messages',
  'timer.text':
    'New messages of yours in this chat vanish on both devices after this time, counted from when they were sent or seen.',
  'timer.default': 'As in the settings ({time})',
  'timer.off': 'Off',
} as const
