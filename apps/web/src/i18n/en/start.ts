/** Words for before the chats: registering, unlocking, moving. */
export const start = {
  'welcome.title': 'Private messages.',
  'welcome.subtitle': 'The server remembers two.',
  'welcome.text':
    'Write to somebody by phone number. Only the two of you can read it: the keys are made in this browser and never leave it.',
  'welcome.country': 'Country',
  'welcome.number': 'Phone number',
  'welcome.send': 'Send code',
  'welcome.sending': 'Making your keys…',
  'welcome.echo':
    'We send one text to {phone} with a six-digit code. The server stores only this number and your public keys.',
  'welcome.hint':
    'We send one text with a six-digit code. The server stores only your number and your public keys.',
  'welcome.server': 'Your server is {server}. To use another one, open its address.',
  'welcome.restore': 'Take over from a file',
  'welcome.invitation': 'Invitation',
  'welcome.invitation.hint': 'This server asks for one. Whoever runs it gives it to you.',
  'welcome.invitation.empty': 'Enter the invitation that you were given.',
  'welcome.invitation.wrong': 'This invitation does not count, or was used already.',
  'welcome.error.empty': 'Enter your phone number.',
  'welcome.error.number':
    'This is not a phone number that can exist. Check the country and the digits.',

  'code.title': 'Enter the code',
  'code.sent': 'Sent to {phone}.',
  'code.change': 'Change number',
  'code.label': 'Six-digit code',
  'code.development': 'Your server runs in development mode: it prints the code in its terminal.',
  'code.resend': 'Send again',
  'code.resend.in': 'Send again in {time}',
  'code.resent': 'A new code is on its way.',
  'code.checking': 'Checking…',
  'code.wrong': {
    one: 'That code is not right. One try left.',
    other: 'That code is not right. {count} tries left.',
  },
  'pin.title': 'Enter your PIN',
  'pin.text':
    'The code was right. This number has a registration lock as well: the PIN that its owner has set.',
  'pin.label': 'PIN of this number',
  'pin.button': 'Go on',
  'pin.empty': 'Enter the PIN.',
  'pin.wrong': {
    one: 'That is not the PIN. One try left.',
    other: 'That is not the PIN. {count} tries left.',
  },
  'pin.wrong.plain': 'That is not the PIN.',
  'pin.wait': 'Too many wrong PINs. The next try is in {time}.',
  'pin.forgot': 'Forgotten? The lock ends by itself when the number was not used for eight days.',
  'code.wrong.plain': 'That code is not right.',

  'done.title': 'You are in',
  'done.text': '{phone} is yours on this server. Your keys are in this browser and nowhere else.',
  'done.replaced':
    'This number was in use here before. Its contacts will be told that its key changed.',
  'install.title': 'Install Couplet',
  'install.text': 'A window of its own, and data that the browser keeps.',
  'install.button': 'Install',
  'install.first':
    'First add Couplet to your home screen: Share, then “Add to Home Screen”. Open it there to register. In Safari itself your messages would be cleared after seven days without a visit.',
  'install.later':
    'Safari clears what a site stores after seven days without a visit. Better: export your account to a file, add Couplet to your home screen (Share, then “Add to Home Screen”), and take the account over there.',
  'done.keep.title': 'Keep this browser’s data',
  'done.keep.text': 'Browsers may clear what a site stores. Ask this one not to.',
  'done.keep.button': 'Keep it',
  'done.keep.yes': 'This browser keeps your data.',
  'done.keep.no': 'The browser did not promise. Installing the app helps.',
  'done.passphrase.title': 'Protect it with a passphrase',
  'done.passphrase.text':
    'Optional. It is asked for each time you open Couplet, and nobody can reset it.',
  'done.passphrase.button': 'Set a passphrase',
  'done.start': 'Start messaging',

  'tab.title': 'Couplet is open in another tab',
  'tab.text': 'One tab at a time, so that no key is used twice.',
  'tab.use': 'Use here',

  'locked.title': 'Welcome back',
  'locked.text': 'This browser’s data is protected with a passphrase.',
  'locked.passphrase': 'Passphrase',
  'locked.open': 'Open',
  'locked.opening': 'Opening…',
  'locked.wrong': 'This is not the passphrase.',
  'locked.forgot':
    'Forgotten? Nobody can reset it. You can delete the data here and register again.',
  'locked.remove': 'Delete the data and start over',

  'lost.title': 'This browser has no key for {phone}',
  'lost.text':
    'It was here before; the browser has cleared what this site stored. Your messages and keys are gone from here.',
  'lost.again': 'Register again',
  'lost.again.text': 'Your contacts will be told that your key changed.',
  'lost.other': 'Use another number',

  'broken.title': 'This cannot go on',
  'broken.text':
    'Something on this device failed, and Couplet has stopped rather than lose a message.',
  'broken.reload': 'Start again',
  'broken.storage':
    'The browser’s storage is full or cannot be written. Free some space, then start again.',

  'moving.passphrase': 'Passphrase for the file',
  'moving.save.title': 'Save the file',
  'moving.save.text':
    'Your keys and messages are in an encrypted file. Keep it where you find it again: soon it is the only place that has them.',
  'moving.save.button': 'Save the file',
  'moving.saved.text':
    'Look whether the file is there. When you confirm, everything is deleted from this browser.',
  'moving.saved.button': 'I have the file',
  'moving.cancel': 'Cancel and stay in this browser',

  'moved.title': 'Your account has moved',
  'moved.text':
    'It is in the file that you saved. Open Couplet on the other device and choose “Take over from a file”. To have it here again, start anew here and do the same.',
  'moved.again': 'Start anew in this browser',

  'unfinished.title': 'The move was interrupted',
  'unfinished.text':
    'The page was closed before you confirmed that the file was saved. Make the file again, or stay in this browser.',
  'unfinished.back': 'Stay in this browser',
  'unfinished.back.title': 'Stay in this browser?',
  'unfinished.back.text':
    'Delete every file of this move, and never open one: an account that is in two places loses messages.',
} as const
