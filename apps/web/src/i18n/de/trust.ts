import type { trust as english } from '../en/trust.ts'
import type { CatalogueOf } from '../index.ts'

export const trust: CatalogueOf<typeof english> = {
  'verify.title': '{name} prüfen',
  'verify.text':
    'Scanne den Code auf dem Bildschirm von {name}, oder vergleicht diese sechzig Ziffern persönlich oder in einem Gespräch, dem ihr vertraut. Stimmen sie überein, ist niemand zwischen euch.',
  'verify.code': 'Code, den {name} scannt',
  'verify.digits': 'Sicherheitsnummer',
  'verify.scan': 'Anderen Code scannen',
  'verify.mark': 'Sie stimmen überein',
  'verify.unmark': 'Prüfung zurücknehmen',
  'verify.is': '{name} ist geprüft',
  'verify.is.text':
    'Du hast diesen Schlüssel verglichen. Du wirst gewarnt, bevor etwas an einen anderen geht.',
  'verify.paste': 'Füge die Nummer ein, die du bekommen hast',
  'verify.paste.match': 'Die Nummern stimmen überein.',
  'verify.paste.short': 'Eine Sicherheitsnummer hat sechzig Ziffern; das sind {count}.',
  'verify.loading': 'Der Server wird nach dem Schlüssel gefragt …',

  'mismatch.title': 'Sie stimmen nicht überein',
  'mismatch.text':
    'Du und {name} habt nicht die wahren Schlüssel voneinander. Vielleicht vergleicht jemand mit der falschen Person oder einem alten Bildschirm. Vielleicht ist jemand dazwischen und liest mit.',
  'mismatch.do.1': 'Schreib nichts, worauf es ankommt.',
  'mismatch.do.2': 'Öffnet beide diesen Chat und vergleicht noch einmal.',
  'mismatch.do.3':
    'Bleibt es so, sagt es einander auf anderem Weg und fragt, wer den Server betreibt.',
  'mismatch.back': 'Zurück zum Chat',
  'mismatch.again': 'Noch einmal vergleichen',

  'changed.title': '{name} hat einen neuen Schlüssel',
  'changed.text':
    'Ein neues Telefon, oder jemand dazwischen? Vergleiche die Nummern, bevor du weiterschreibst. Das Senden ruht, bis du entscheidest.',
  'changed.text.unverified':
    'Wahrscheinlich ein neues Telefon oder ein neuer Browser. Ihr hattet die Nummern nicht verglichen. Das Senden ruht, bis du entscheidest.',
  'changed.compare': 'Nummern vergleichen',
  'changed.accept': 'Neuen Schlüssel annehmen',
  'changed.accept.title': 'Den neuen Schlüssel von {name} annehmen?',
  'changed.accept.text':
    'Was du ab jetzt schreibst, kann lesen, wer diesen Schlüssel hat. Ohne Vergleich glaubst du dem Server.',
  'changed.later': 'Nicht jetzt',

  'replaced.title': '{name} hat neu angefangen',
  'replaced.text':
    'Der Schlüssel ist der, den du geprüft hast, aber das Gerät von {name} hat euer Gespräch vergessen: eine zurückgespielte Sicherung, oder eine Kopie in fremder Hand. Vergleicht die Nummern, oder frag {name} auf anderem Weg. Was du schreibst, wartet, bis du entscheidest.',
  'replaced.accept': 'Weitermachen',
  'replaced.accept.title': 'Mit {name} weitermachen?',
  'replaced.accept.text':
    'Was wartet, geht hinaus und ist für jeden lesbar, der Gerät und Daten von {name} jetzt hat.',
  'scan.title': 'Code scannen',
  'scan.text': 'Halte den Code vor die Kamera.',
  'scan.starting': 'Die Kamera startet …',
  'scan.denied':
    'Diese Seite darf die Kamera nicht benutzen. Erlaube es im Browser, oder wähle ein Bild.',
  'scan.absent': 'Dieses Gerät hat keine nutzbare Kamera. Wähle ein Bild des Codes.',
  'scan.insecure':
    'Diese Seite hat kein HTTPS, deshalb gibt der Browser die Kamera nicht her. Wähle ein Bild des Codes.',
  'scan.picture': 'Bild wählen',
  'scan.noCode': 'In diesem Bild ist kein Code.',
  'scan.wrong': 'Das ist kein Code von Couplet.',
}
