import type { chat as english } from '../en/chat.ts'
import type { CatalogueOf } from '../index.ts'

export const chat: CatalogueOf<typeof english> = {
  'chat.log': 'Nachrichten mit {name}',
  'chat.verified': 'Geprüft',
  'chat.unverified': 'Nicht geprüft',
  'chat.changed': 'Sicherheitsnummer geändert',
  'chat.verify': '{name} prüfen',
  'chat.person': 'Über {name}',
  'chat.timer': 'Verschwindende Nachrichten: {time}',
  'chat.timer.off': 'Verschwindende Nachrichten: aus',
  'chat.message': 'Nachricht',
  'chat.message.to': 'Nachricht an {name}',
  'chat.send': 'Senden',
  'chat.emoji': 'Emoji',
  'chat.paused': 'Das Senden ruht, bis du über den neuen Schlüssel entschieden hast',
  'chat.blocked': 'Du hast {name} blockiert.',
  'chat.unblock': 'Freigeben',
  'chat.new': 'Neue Nachrichten',
  'chat.latest': 'Zur neuesten Nachricht',
  'chat.latest.new': {
    one: '{count} neue Nachricht. Dorthin springen',
    other: '{count} neue Nachrichten. Dorthin springen',
  },
  'chat.begin':
    'Nachrichten sind Ende-zu-Ende verschlüsselt. Außerhalb dieses Chats kann sie niemand lesen, auch der Server nicht.',
  'chat.begin.verify': 'Sicherheitsnummern vergleichen',
  'chat.gap': {
    one: 'Eine frühere Nachricht ist noch auf dem Gerät von {name}.',
    other: '{count} frühere Nachrichten sind noch auf dem Gerät von {name}.',
  },
  'chat.gap.hint': 'Sie kommt von selbst, wenn ihr beide online seid.',
  'chat.today': 'Heute',
  'chat.yesterday': 'Gestern',
  'chat.fromChanged': 'Mit einem neuen Schlüssel gesendet, den du nicht angenommen hast',
  'chat.waiting': {
    one: 'Eine Nachricht wartet hier, bis {name} online ist. Sie geht von selbst hinaus.',
    other: '{count} Nachrichten warten hier, bis {name} online ist. Sie gehen von selbst hinaus.',
  },
  'chat.quote': 'Antwort an {name}',
  'chat.quote.remove': 'Nicht antworten',

  'message.menu': 'Möglichkeiten der Nachricht',
  'message.reply': 'Antworten',
  'message.copy': 'Text kopieren',
  'message.delete': 'Hier löschen',
  'message.details': 'Einzelheiten',
  'message.label.in': '{name}: {text}, {time}',
  'message.label.out': 'Du: {text}, {time}, {state}',
  'message.deleted': 'Von diesem Gerät gelöscht',
  'message.expand': 'Alles zeigen',

  'state.pending': 'Wartet',
  'state.sent': 'Gesendet',
  'state.delivered': 'Zugestellt',
  'state.waiting-for-room': 'Wartet auf Platz',
  'state.failed': 'Nicht zugestellt',
  'state.pending.why':
    'Der Server hat sie noch nicht. Sie geht mit der nächsten Verbindung hinaus.',
  'state.pending.held': 'Wartet hier, bis du über die neue Sitzung mit {name} entschieden hast.',
  'state.sent.why':
    'Der Server hat sie. Das Gerät von {name} hat noch nicht bewiesen, dass es sie hat.',
  'state.delivered.why': 'Das Gerät von {name} hat sie entschlüsselt und das bewiesen.',
  'state.waiting-for-room.why':
    'Das Postfach von {name} war voll. Sie geht von selbst wieder hinaus, wenn Platz ist; dieses Gerät muss dann online sein.',
  'state.failed.why': 'Sie wird nicht gesendet.',

  'failure.unknown-recipient': 'Unter dieser Nummer ist niemand registriert.',
  'failure.key-changed':
    'Der Schlüssel von {name} hat sich geändert. Entscheide darüber, dann geht sie hinaus.',
  'failure.expired': 'Ihre Zeit war um, bevor sie zugestellt werden konnte.',

  'details.title': 'Einzelheiten der Nachricht',
  'details.sent': 'Gesendet',
  'details.received': 'Empfangen',
  'details.state': 'Zustand',
  'details.since': 'Seit',
  'details.expires': 'Verschwindet',
  'details.id': 'Kennung',
  'details.protection': 'Schutz',
  'details.protection.text':
    'Ein eigener Schlüssel aus einer Double Ratchet, AES-256-CBC mit HMAC-SHA-256; die Sitzung aus RSA-3072, X25519 und ML-KEM-768.',

  'delete.title': 'Diese Nachricht hier löschen?',
  'delete.text':
    'Sie verschwindet nur von diesem Gerät. Ist sie noch nicht zugestellt, wird sie nicht gesendet.',

  'timer.title': 'Verschwindende Nachrichten',
  'timer.text':
    'Deine neuen Nachrichten in diesem Chat verschwinden auf beiden Geräten nach dieser Zeit, gezählt ab dem Senden oder Sehen.',
  'timer.default': 'Wie in den Einstellungen ({time})',
  'timer.off': 'Aus',
}
