import type { chats as english } from '../en/chats.ts'
import type { CatalogueOf } from '../index.ts'

export const chats: CatalogueOf<typeof english> = {
  'chats.title': 'Chats',
  'chats.new': 'Neuer Chat',
  'chats.settings': 'Einstellungen',
  'chats.search': 'Suchen',
  'chats.search.clear': 'Suche leeren',
  'chats.list': 'Gespräche',
  'chats.empty.title': 'Noch keine Gespräche',
  'chats.empty.text':
    'Schreib jemandem über die Telefonnummer, oder scanne den Code auf dem anderen Bildschirm.',
  'chats.empty.number': 'Mit Nummer hinzufügen',
  'chats.empty.code': 'Meinen Code zeigen',
  'chats.requests': { one: '{count} Nachrichtenanfrage', other: '{count} Nachrichtenanfragen' },
  'chats.requests.hint': 'Von Leuten, die du nicht kennst',
  'chats.unread': { one: '{count} ungelesene Nachricht', other: '{count} ungelesene Nachrichten' },
  'chats.draft': 'Entwurf:',
  'chats.changed': 'Sicherheitsnummer geändert',
  'chats.replaced': 'Wartet auf deine Entscheidung',
  'chats.none.title': 'Wähle ein Gespräch',
  'chats.none.first': 'Privat vom ersten Wort an',
  'chats.none.text':
    'Was du schreibst, wird hier verschlüsselt und ist nur auf dem anderen Gerät lesbar.',

  'search.title': 'Suchergebnisse',
  'search.people': 'Personen',
  'search.messages': 'Nachrichten',
  'search.nothing': 'Nichts gefunden zu „{query}“',
  'search.nothing.hint': 'Gesucht wird in Namen, Nummern und den Nachrichten auf diesem Gerät.',
  'search.running': 'Wird gesucht …',

  'person.title': 'Über',
  'person.name': 'Name',
  'person.name.hint': 'Nur auf diesem Gerät.',
  'person.verify': 'Prüfen',
  'person.block': 'Blockieren',
  'person.block.title': '{name} blockieren?',
  'person.block.text': 'Nichts von dort wird gezeigt, und niemand erfährt davon.',
  'person.clear': 'Nachrichten hier löschen',
  'person.clear.title': 'Dieses Gespräch hier löschen?',
  'person.clear.text':
    'Alle Nachrichten verschwinden von diesem Gerät. Was noch nicht zugestellt ist, wird nicht gesendet.',

  'new.title': 'Neuer Chat',
  'new.number': 'Nummer',
  'new.code': 'Code',
  'new.start': 'Chat beginnen',
  'new.looking': 'Wird gesucht …',
  'new.unknown': 'Unter {phone} ist auf diesem Server noch niemand registriert.',
  'new.invite': 'Einladung kopieren',
  'new.invite.text': 'Schreib mir auf Couplet, einem privaten Messenger: {server}',
  'new.self': 'Das ist deine eigene Nummer.',
  'new.mine': 'Mein Code',
  'new.mine.text':
    'Wer ihn scannt, hat deine Nummer und weiß, dass dein Schlüssel der richtige ist.',
  'new.mine.label': 'Code mit deiner Nummer und deinem Schlüssel',
  'new.scan': 'Anderen Code scannen',
  'new.link': 'Als Link kopieren',
  'new.paste': 'Oder einen Link einfügen',
  'new.otherServer': 'Dieser Code gehört zu einem anderen Server: {server}.',
  'new.notCode': 'Das ist kein Code von Couplet.',
  'new.added': '{name} ist hinzugefügt und geprüft.',
  'new.mismatch':
    'Der Schlüssel in diesem Code ist nicht der, den der Server für {phone} hat. Vielleicht ist jemand dazwischen, oder der Code ist alt.',

  'requests.title': 'Nachrichtenanfragen',
  'requests.text':
    'Leute, die dir zuerst geschrieben haben. Ob du es gelesen hast, sehen sie erst, wenn du annimmst.',
  'requests.accept': 'Annehmen',
  'requests.block': 'Blockieren',
  'requests.none': 'Keine Nachrichtenanfragen',

  'strip.offline': 'Offline. Nachrichten gehen hinaus, sobald du wieder online bist.',
  'strip.unreachable': 'Der Server antwortet nicht. Neuer Versuch …',
  'strip.connecting': 'Verbindung wird aufgebaut …',
  'strip.back': 'Wieder online',
  'strip.replaced': 'Diese Nummer wird jetzt woanders benutzt.',
  'strip.unauthenticated':
    'Diese Nummer wurde auf einem anderen Gerät registriert. Was hier ist, bleibt, aber nichts kommt oder geht mehr.',
  'strip.client-too-old': 'Diese App ist älter, als der Server erlaubt.',
  'strip.anew.text':
    'Schlüssel und Nachrichten in diesem Browser werden gelöscht. Danach kannst du dich neu registrieren; deine Kontakte erfahren, dass dein Schlüssel ein anderer ist.',
  'strip.use': 'Hier benutzen',
}
