import type { start as english } from '../en/start.ts'
import type { CatalogueOf } from '../index.ts'

export const start: CatalogueOf<typeof english> = {
  'welcome.title': 'Private Nachrichten.',
  'welcome.subtitle': 'Der Server merkt sich zwei.',
  'welcome.text':
    'Schreib jemandem über die Telefonnummer. Nur ihr beide könnt es lesen: Die Schlüssel entstehen in diesem Browser und verlassen ihn nie.',
  'welcome.country': 'Land',
  'welcome.number': 'Telefonnummer',
  'welcome.send': 'Code senden',
  'welcome.sending': 'Deine Schlüssel entstehen …',
  'welcome.echo':
    'Wir senden eine SMS mit sechsstelligem Code an {phone}. Der Server speichert nur diese Nummer und deine öffentlichen Schlüssel.',
  'welcome.hint':
    'Wir senden eine SMS mit sechsstelligem Code. Der Server speichert nur deine Nummer und deine öffentlichen Schlüssel.',
  'welcome.server': 'Dein Server ist {server}. Für einen anderen öffne dessen Adresse.',
  'welcome.restore': 'Aus einer Datei übernehmen',
  'welcome.invitation': 'Einladung',
  'welcome.invitation.hint':
    'Dieser Server verlangt eine. Du bekommst sie von dem, der ihn betreibt.',
  'welcome.invitation.empty': 'Gib die Einladung ein, die du bekommen hast.',
  'welcome.invitation.wrong': 'Diese Einladung gilt nicht, oder sie wurde schon benutzt.',
  'welcome.error.empty': 'Gib deine Telefonnummer ein.',
  'welcome.error.number': 'Diese Nummer kann es nicht geben. Prüfe das Land und die Ziffern.',

  'code.title': 'Code eingeben',
  'code.sent': 'Gesendet an {phone}.',
  'code.change': 'Nummer ändern',
  'code.label': 'Sechsstelliger Code',
  'code.development': 'Dein Server läuft zur Entwicklung: Der Code steht in seinem Terminal.',
  'code.resend': 'Noch einmal senden',
  'code.resend.in': 'Noch einmal senden in {time}',
  'code.resent': 'Ein neuer Code ist unterwegs.',
  'code.checking': 'Wird geprüft …',
  'code.wrong': {
    one: 'Der Code stimmt nicht. Noch ein Versuch.',
    other: 'Der Code stimmt nicht. Noch {count} Versuche.',
  },
  'pin.title': 'PIN eingeben',
  'pin.text':
    'Der Code war richtig. Diese Nummer hat außerdem eine Registrierungssperre: die PIN, die ihr Besitzer gesetzt hat.',
  'pin.label': 'PIN dieser Nummer',
  'pin.button': 'Weiter',
  'pin.empty': 'Gib die PIN ein.',
  'pin.wrong': {
    one: 'Das ist nicht die PIN. Noch ein Versuch.',
    other: 'Das ist nicht die PIN. Noch {count} Versuche.',
  },
  'pin.wrong.plain': 'Das ist nicht die PIN.',
  'pin.wait': 'Zu viele falsche PINs. Der nächste Versuch geht in {time}.',
  'pin.forgot':
    'Vergessen? Die Sperre endet von selbst, wenn die Nummer acht Tage lang nicht benutzt wurde.',
  'code.wrong.plain': 'Der Code stimmt nicht.',

  'done.title': 'Du bist dabei',
  'done.text':
    '{phone} gehört auf diesem Server dir. Deine Schlüssel sind in diesem Browser und nirgends sonst.',
  'done.replaced':
    'Diese Nummer war hier schon vergeben. Ihre Kontakte erfahren, dass sich der Schlüssel geändert hat.',
  'install.title': 'Couplet installieren',
  'install.text': 'Ein eigenes Fenster, und Daten, die der Browser behält.',
  'install.button': 'Installieren',
  'install.first':
    'Lege Couplet zuerst auf den Home-Bildschirm: „Teilen“, dann „Zum Home-Bildschirm“. Öffne es dort und registriere dich. In Safari selbst würden deine Nachrichten nach sieben Tagen ohne Besuch gelöscht.',
  'install.later':
    'Safari löscht nach sieben Tagen ohne Besuch, was eine Seite gespeichert hat. Besser: Exportiere dein Konto in eine Datei, lege Couplet auf den Home-Bildschirm („Teilen“, dann „Zum Home-Bildschirm“) und übernimm es dort.',
  'done.keep.title': 'Daten in diesem Browser behalten',
  'done.keep.text':
    'Browser löschen manchmal, was eine Seite speichert. Bitte ihn, das nicht zu tun.',
  'done.keep.button': 'Behalten',
  'done.keep.yes': 'Dieser Browser behält deine Daten.',
  'done.keep.no': 'Der Browser hat nichts versprochen. Die App zu installieren hilft.',
  'done.passphrase.title': 'Mit einer Passphrase schützen',
  'done.passphrase.text':
    'Freiwillig. Sie wird bei jedem Öffnen verlangt, und niemand kann sie zurücksetzen.',
  'done.passphrase.button': 'Passphrase setzen',
  'done.start': 'Losschreiben',

  'tab.title': 'Couplet ist in einem anderen Tab offen',
  'tab.text': 'Immer nur ein Tab, damit kein Schlüssel zweimal benutzt wird.',
  'tab.use': 'Hier benutzen',

  'locked.title': 'Willkommen zurück',
  'locked.text': 'Die Daten in diesem Browser sind mit einer Passphrase geschützt.',
  'locked.passphrase': 'Passphrase',
  'locked.open': 'Öffnen',
  'locked.opening': 'Wird geöffnet …',
  'locked.wrong': 'Das ist nicht die Passphrase.',
  'locked.forgot':
    'Vergessen? Niemand kann sie zurücksetzen. Du kannst die Daten hier löschen und dich neu registrieren.',
  'locked.remove': 'Daten löschen und neu anfangen',

  'lost.title': 'Dieser Browser hat keinen Schlüssel für {phone}',
  'lost.text':
    'Er war hier; der Browser hat gelöscht, was diese Seite gespeichert hatte. Deine Nachrichten und Schlüssel sind hier nicht mehr.',
  'lost.again': 'Neu registrieren',
  'lost.again.text': 'Deine Kontakte erfahren, dass sich dein Schlüssel geändert hat.',
  'lost.other': 'Andere Nummer benutzen',

  'broken.title': 'So geht es nicht weiter',
  'broken.text':
    'Auf diesem Gerät ist etwas fehlgeschlagen. Couplet hat angehalten, bevor eine Nachricht verloren geht.',
  'broken.reload': 'Neu starten',
  'broken.storage':
    'Der Speicher des Browsers ist voll oder nicht beschreibbar. Schaffe Platz und starte neu.',

  'moving.passphrase': 'Passphrase für die Datei',
  'moving.save.title': 'Sichere die Datei',
  'moving.save.text':
    'Deine Schlüssel und Nachrichten sind in einer verschlüsselten Datei. Bewahre sie gut auf: Bald sind sie nur noch dort.',
  'moving.save.button': 'Datei sichern',
  'moving.saved.text':
    'Sieh nach, ob die Datei da ist. Wenn du bestätigst, wird in diesem Browser alles gelöscht.',
  'moving.saved.button': 'Ich habe die Datei',
  'moving.cancel': 'Abbrechen und in diesem Browser bleiben',

  'moved.title': 'Dein Konto ist umgezogen',
  'moved.text':
    'Es ist in der Datei, die du gesichert hast. Öffne Couplet auf dem anderen Gerät und wähle „Aus einer Datei übernehmen“. Soll es wieder hierher, fang hier neu an und tu dasselbe.',
  'moved.again': 'In diesem Browser neu anfangen',

  'unfinished.title': 'Der Umzug wurde unterbrochen',
  'unfinished.text':
    'Die Seite wurde geschlossen, bevor du bestätigt hast, dass die Datei gesichert ist. Erstelle die Datei noch einmal, oder bleib in diesem Browser.',
  'unfinished.back': 'In diesem Browser bleiben',
  'unfinished.back.title': 'In diesem Browser bleiben?',
  'unfinished.back.text':
    'Lösche jede Datei dieses Umzugs und öffne keine: Ein Konto an zwei Orten verliert Nachrichten.',
}
