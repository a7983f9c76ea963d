/** Words for keys and comparing them. */
export const trust = {
  'verify.title': 'Verify {name}',
  'verify.text':
    'Scan the code on {name}’s screen, or compare these sixty digits in person or on a call you trust. If they match, nobody sits between you.',
  'verify.code': 'Code for {name} to scan',
  'verify.digits': 'Safety number',
  'verify.scan': 'Scan their code',
  'verify.mark': 'They match',
  'verify.unmark': 'Take the mark back',
  'verify.is': '{name} is verified',
  'verify.is.text':
    'You have compared this key. You will be warned before anything goes to another one.',
  'verify.paste': 'Paste the number that they sent you',
  'verify.paste.match': 'The numbers match.',
  'verify.paste.short': 'A safety number has sixty digits; these are {count}.',
  'verify.loading': 'Asking the server for the key…',

  'mismatch.title': 'These do not match',
  'mismatch.text':
    'You and {name} do not have each other’s true keys. Perhaps one of you compares with somebody else or has an old screen. Perhaps somebody sits in between and reads along.',
  'mismatch.do.1': 'Do not write anything that matters.',
  'mismatch.do.2': 'Make sure that both of you have this chat open, and compare again.',
  'mismatch.do.3':
    'If it stays so, tell each other by another way, and ask whoever runs the server.',
  'mismatch.back': 'Back to the chat',
  'mismatch.again': 'Compare again',

  'changed.title': '{name} has a new key',
  'changed.text':
    'A new phone, or somebody in between? Compare numbers before you go on. Sending is paused until you decide.',
  'changed.text.unverified':
    'A new phone or a new browser, most likely. You had not compared numbers before. Sending is paused until you decide.',
  'changed.compare': 'Compare numbers',
  'changed.accept': 'Accept new key',
  'changed.accept.title': 'Accept {name}’s new key?',
  'changed.accept.text':
    'What you write from now on can be read by whoever has this key. If you have not compared numbers, you take the server’s word for it.',
  'changed.later': 'Not now',

  'replaced.title': '{name} began anew',
  'replaced.text':
    'The key is the one that you have verified, but {name}’s device has forgotten your conversation: a restored backup, or a copy in other hands. Compare numbers, or ask {name} by another way. What you write waits until you decide.',
  'replaced.accept': 'Go on',
  'replaced.accept.title': 'Go on with {name}?',
  'replaced.accept.text':
    'What waits is sent, and can be read by whoever has {name}’s device and data now.',
  'scan.title': 'Scan a code',
  'scan.text': 'Hold the code in front of the camera.',
  'scan.starting': 'Starting the camera…',
  'scan.denied':
    'The camera is not allowed for this site. Allow it in the browser’s settings, or choose a picture.',
  'scan.absent': 'This device has no camera that can be used. Choose a picture of the code.',
  'scan.insecure':
    'This page is not on HTTPS, so browsers give it no camera. Choose a picture of the code.',
  'scan.picture': 'Choose a picture',
  'scan.noCode': 'No code was found in this picture.',
  'scan.wrong': 'This is not a code of Couplet.',
} as const
