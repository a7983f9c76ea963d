/** Words for everywhere, and what goes wrong. */
export const common = {
  'app.name': 'Couplet',

  'common.back': 'Back',
  'common.cancel': 'Cancel',
  'common.close': 'Close',
  'common.copied': 'Copied',
  'common.copy': 'Copy',
  'common.delete': 'Delete',
  'common.optional': 'optional',
  'common.retry': 'Try again',
  'common.save': 'Save',
  'common.you': 'You',
  'common.loading': 'Loading…',
  'common.skip': 'Skip to the conversation',

  'update.ready': 'A new version is ready.',
  'update.load': 'Load it',

  'notification.title': 'New message',

  'announce.message': 'New message from {name}: {text}',

  'error.unreachable': 'The server does not answer. Check your connection, then try again.',
  'error.timed-out': 'The server took too long to answer. Try again.',
  'error.rate-limited': 'Too many tries. Try again in {time}.',
  'error.rate-limited.later': 'Too many tries. Try again later.',
  'error.too-many-attempts': 'Too many wrong codes. Ask for a new one.',
  'error.registration-expired': 'This code is too old. Ask for a new one.',
  'error.code-not-sent': 'The code could not be sent. Try again in a while.',
  'error.invalid-phone-number': 'The server says that this is not a phone number.',
  'error.unknown-recipient': 'Nobody is registered under this number.',
  'error.untrusted-answer':
    'The server’s answer about this person does not verify. Nothing was sent.',
  'error.key-changed': 'The key has changed meanwhile. Look at the new one.',
  'error.message-too-long': 'This message is too long.',
  'error.unauthenticated':
    'The server does not know this key any more: the number was registered somewhere else.',
  'error.unreadable-export': 'This is not a file of Couplet, or it is damaged.',
  'error.already-registered': 'A number is registered in this browser already.',
  'error.registration-closed':
    'This server does not take this number. It asks for an invitation, or takes only numbers that it knows.',
  'error.client-too-old': 'This app is older than the server allows. Load the page again.',
  'error.home-locked': 'Couplet was opened in another tab. Go on there, or load this page again.',
  'error.unexpected-answer': 'The server answered something that makes no sense. Try again later.',
  'error.unknown': 'That did not work ({code}).',
} as const
