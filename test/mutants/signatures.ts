/** Of what an identity signs toward its server, and of the server that checks it. */
import { type Mutant, mutant, SOURCE, TEST } from './mutant.ts'

export const SIGNATURES_MUTANTS: readonly Mutant[] = [
  mutant(
    'logins are signed under the label of requests',
    [SOURCE.authentication, '.bytes(LABEL_SIGN_LOGIN)', '.bytes(LABEL_SIGN_REQUEST)'],
    [TEST.wireIdentity, 'begins with a label of its own'],
  ),
  mutant(
    'registrations are signed under the label of logins',
    [SOURCE.authentication, '.bytes(LABEL_SIGN_REGISTRATION)', '.bytes(LABEL_SIGN_LOGIN)'],
    [TEST.wireIdentity, 'begins with a label of its own'],
  ),
  mutant(
    'requests are signed under the label of registrations',
    [SOURCE.authentication, '.bytes(LABEL_SIGN_REQUEST)', '.bytes(LABEL_SIGN_REGISTRATION)'],
    [TEST.wireIdentity, 'begins with a label of its own'],
  ),
  mutant(
    'labels stand without their length',
    [SOURCE.labels, 'concatBytes(Uint8Array.of(text.length), text)', 'concatBytes(text)'],
    [TEST.wireIdentity, 'begins with a label of its own'],
  ),
  mutant(
    'a login names no server',
    [
      SOURCE.authentication,
      '.bytes(LABEL_SIGN_LOGIN)\n    .bytes16(utf8(input.serverName))',
      '.bytes(LABEL_SIGN_LOGIN)',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a login answers no challenge',
    [
      SOURCE.authentication,
      '.bytes16(utf8(input.serverName))\n    .bytes(input.challenge)',
      '.bytes16(utf8(input.serverName))',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a registration names no server',
    [
      SOURCE.authentication,
      '.bytes16(utf8(input.serverName))\n    .bytes16(utf8(input.registrationId))',
      '.bytes16(utf8(input.registrationId))',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a proof is of no registration',
    [SOURCE.authentication, '    .bytes16(utf8(input.registrationId))\n', ''],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a proof answers no challenge',
    [
      SOURCE.authentication,
      '.bytes16(utf8(input.registrationId))\n    .bytes(input.challenge)',
      '.bytes16(utf8(input.registrationId))',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a request names no server',
    [
      SOURCE.authentication,
      '.bytes16(utf8(input.serverName))\n    .bytes(input.identityId)\n    .u64',
      '.bytes(input.identityId)\n    .u64',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a request is of no time',
    [SOURCE.authentication, '    .u64(input.at)\n', ''],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'the end of a method may pass for the beginning of a path',
    [
      SOURCE.authentication,
      '.bytes16(utf8(input.method))\n    .bytes16(utf8(input.path))',
      '.bytes16(utf8(input.method + input.path))',
    ],
    [TEST.wireIdentity, 'names the server and every field'],
  ),
  mutant(
    'a request says nothing of its body',
    [SOURCE.authentication, '    .bytes(input.bodyHash)\n', ''],
    [TEST.wireIdentity, 'names the server and every field'],
  ),

  mutant(
    'server: whoever is registered is logged in, whatever the signature',
    [SOURCE.login, 'return signed && ', 'return (signed || !signed) && '],
    [TEST.gateway, 'a signature for another server'],
  ),
  mutant(
    'server: every connection has the same challenge',
    [SOURCE.connection, 'Uint8Array.from(randomBytes(CHALLENGE_BYTES))', 'new Uint8Array(32)'],
    [TEST.gateway, 'gives every connection another challenge'],
  ),
  mutant(
    'server: a request may be as old as it likes',
    [
      SOURCE.requests,
      'Math.abs(services.clock.now() - at) > REQUEST_CLOCK_SKEW_MS',
      'at - services.clock.now() > REQUEST_CLOCK_SKEW_MS',
    ],
    [TEST.http, 'refuses a signature over'],
  ),
  mutant(
    'server: a signature of one body passes for another',
    [SOURCE.authentication, '    .bytes(input.bodyHash)\n', ''],
    [TEST.http, 'prekeys other than those that were signed'],
  ),
  mutant(
    'server: a registered identity may sign for any other',
    [
      SOURCE.requests,
      '.byIdentity(identityId)\n',
      '.byIdentity(identityId)\n  if (user) return user\n',
    ],
    [TEST.http, 'refuses a signature for another server'],
  ),
  mutant(
    'server: nobody proves that the keys are theirs',
    [SOURCE.registration, 'if (!provesPossession(', 'if (!id && !provesPossession('],
    [TEST.registration, 'without it nothing is registered'],
  ),
]
