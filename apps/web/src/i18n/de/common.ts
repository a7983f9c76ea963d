import type { common as english } from '../en/common.ts'
import type { CatalogueOf } from '../index.ts'

export const common: CatalogueOf<typeof english> = {
  'app.name': 'Couplet',

  'common.back': 'Zurück',
  'common.cancel': 'Abbrechen',
  'common.close': 'Schließen',
  'common.copied': 'Kopiert',
  'common.copy': 'Kopieren',
  'common.delete': 'Löschen',
  'common.optional': 'freiwillig',
  'common.retry': 'Noch einmal versuchen',
  'common.save': 'Speichern',
  'common.you': 'dich',
  'common.loading': 'Wird geladen …',
  'common.skip': 'Zum Gespräch springen',

  'update.ready': 'Eine neue Version ist bereit.',
  'update.load': 'Laden',

  'notification.title': 'Neue Nachricht',

  'announce.message': 'Neue Nachricht von {name}: {text}',

  'error.unreachable':
    'Der Server antwortet nicht. Prüfe deine Verbindung und versuche es noch einmal.',
  'error.timed-out': 'Der Server hat zu lange gebraucht. Versuche es noch einmal.',
  'error.rate-limited': 'Zu viele Versuche. Wieder möglich in {time}.',
  'error.rate-limited.later': 'Zu viele Versuche. Versuche es später.',
  'error.too-many-attempts': 'Zu viele falsche Codes. Fordere einen neuen an.',
  'error.registration-expired': 'Dieser Code ist zu alt. Fordere einen neuen an.',
  'error.code-not-sent':
    'Der Code konnte nicht gesendet werden. Versuche es in einer Weile noch einmal.',
  'error.invalid-phone-number': 'Der Server sagt, dass das keine Telefonnummer ist.',
  'error.unknown-recipient': 'Unter dieser Nummer ist niemand registriert.',
  'error.untrusted-answer':
    'Die Antwort des Servers über diese Person hält der Prüfung nicht stand. Nichts wurde gesendet.',
  'error.key-changed': 'Der Schlüssel hat sich inzwischen geändert. Sieh dir den neuen an.',
  'error.message-too-long': 'Diese Nachricht ist zu lang.',
  'error.unauthenticated':
    'Der Server kennt diesen Schlüssel nicht mehr: Die Nummer wurde woanders registriert.',
  'error.unreadable-export': 'Das ist keine Datei von Couplet, oder sie ist beschädigt.',
  'error.already-registered': 'In diesem Browser ist schon eine Nummer registriert.',
  'error.registration-closed':
    'Dieser Server nimmt diese Nummer nicht. Er verlangt eine Einladung, oder nimmt nur Nummern, die er kennt.',
  'error.client-too-old': 'Diese App ist älter, als der Server erlaubt. Lade die Seite neu.',
  'error.home-locked':
    'Couplet wurde in einem anderen Tab geöffnet. Mach dort weiter, oder lade diese Seite neu.',
  'error.unexpected-answer':
    'Der Server hat etwas Unverständliches geantwortet. Versuch es später.',
  'error.unknown': 'Das hat nicht geklappt ({code}).',
}
