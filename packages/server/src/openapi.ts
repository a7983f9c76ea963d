/**
 * The HTTP API as an OpenAPI 3.1 document, served at `/openapi.json`. Shapes come from the schemas
 * that requests are checked with, codes and statuses from the table of errors; a test holds the
 * paths to the routes that there are.
 */
import {
  accountInfo,
  directoryEntry,
  ERROR_STATUS,
  type ErrorCode,
  PATHS,
  PROBLEM_CONTENT_TYPE,
  prekeysRequest,
  problem,
  pushKey,
  pushSubscription,
  registrationLockRequest,
  registrationRequest,
  registrationResponse,
  type Shape,
  serverInfo,
  verificationRequest,
  verificationResponse,
} from '@couplet/wire'
import { toJsonSchema } from '@valibot/to-json-schema'
import { VERSION } from './version.ts'

interface Operation {
  readonly path: string
  readonly method: 'get' | 'post' | 'put' | 'delete'
  readonly summary: string
  readonly signed?: true
  readonly body?: Shape<unknown>
  readonly status: number
  readonly answer?: Shape<unknown>
  readonly errors: readonly ErrorCode[]
}

const OPERATIONS: readonly Operation[] = [
  {
    path: PATHS.registrations,
    method: 'post',
    summary: 'Asks for a code',
    body: registrationRequest,
    status: 201,
    answer: registrationResponse,
    errors: [
      'malformed',
      'invalid-phone-number',
      'invalid-identity',
      'registration-closed',
      'rate-limited',
      'code-not-sent',
    ],
  },
  {
    path: `${PATHS.registrations}/{id}/verify`,
    method: 'post',
    summary: 'Proves code and keys',
    body: verificationRequest,
    status: 200,
    answer: verificationResponse,
    errors: [
      'malformed',
      'unauthenticated',
      'wrong-code',
      'registration-closed',
      'registration-expired',
      'registration-locked',
      'too-many-attempts',
      'rate-limited',
    ],
  },
  {
    path: `${PATHS.directory}/{phone}`,
    method: 'get',
    summary: 'Record and prekeys of a number',
    signed: true,
    status: 200,
    answer: directoryEntry,
    errors: ['invalid-phone-number', 'unknown-recipient'],
  },
  {
    path: PATHS.prekeys,
    method: 'put',
    summary: 'Publishes new prekeys',
    signed: true,
    body: prekeysRequest,
    status: 204,
    errors: ['malformed', 'invalid-identity', 'stale-prekeys'],
  },
  {
    path: PATHS.account,
    method: 'get',
    summary: 'What the server keeps of this account besides keys',
    signed: true,
    status: 200,
    answer: accountInfo,
    errors: [],
  },
  {
    path: PATHS.account,
    method: 'delete',
    summary: 'Deletes this account',
    signed: true,
    status: 204,
    errors: [],
  },
  {
    path: PATHS.registrationLock,
    method: 'put',
    summary: 'Locks the number with a PIN',
    signed: true,
    body: registrationLockRequest,
    status: 204,
    errors: ['malformed'],
  },
  {
    path: PATHS.registrationLock,
    method: 'delete',
    summary: 'Takes the lock away',
    signed: true,
    status: 204,
    errors: [],
  },
  {
    path: PATHS.push,
    method: 'get',
    summary: 'The key for push subscriptions',
    status: 200,
    answer: pushKey,
    errors: ['not-found'],
  },
  {
    path: PATHS.push,
    method: 'put',
    summary: 'Subscribes this account to push',
    signed: true,
    body: pushSubscription,
    status: 204,
    errors: ['malformed', 'not-found'],
  },
  {
    path: PATHS.push,
    method: 'delete',
    summary: 'Ends the subscription',
    signed: true,
    status: 204,
    errors: ['not-found'],
  },
  {
    path: PATHS.server,
    method: 'get',
    summary: 'What server this is',
    status: 200,
    answer: serverInfo,
    errors: [],
  },
  { path: PATHS.live, method: 'get', summary: 'Whether it is alive', status: 200, errors: [] },
  {
    path: PATHS.ready,
    method: 'get',
    summary: 'Whether it can take and keep a message',
    status: 200,
    errors: ['unavailable'],
  },
]

export function openApi(): unknown {
  const paths: Record<string, Record<string, unknown>> = {}
  for (const operation of OPERATIONS) {
    paths[operation.path] = {
      ...paths[operation.path],
      [operation.method]: describe(operation),
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Couplet',
      version: VERSION,
      description:
        'Registration, directory and prekeys of a Couplet server. Live traffic goes over a WebSocket: spec/socket.md.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    paths,
    components: {
      schemas: { Problem: schemaOf(problem) },
      securitySchemes: {
        signature: {
          type: 'apiKey',
          in: 'header',
          name: 'authorization',
          description:
            'Couplet <identityId> <at> <signature>: Ed25519 over method, path, body and time (spec/http-api.md)',
        },
      },
    },
  }
}

function describe(operation: Operation): unknown {
  const { path, summary, signed, body, status, answer, errors } = operation
  const parameters = [...path.matchAll(/\{([a-z]+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string', maxLength: 64 },
  }))
  const codes = [...errors, ...(signed ? SIGNED_ERRORS : []), ...ANY_ERRORS]
  return {
    summary,
    ...(parameters.length > 0 && { parameters }),
    ...(signed && { security: [{ signature: [] }] }),
    ...(body && {
      requestBody: { required: true, content: { 'application/json': { schema: schemaOf(body) } } },
    }),
    responses: {
      [status]: {
        description: 'Done',
        ...(answer && { content: { 'application/json': { schema: schemaOf(answer) } } }),
      },
      ...problems([...new Set(codes)]),
    },
  }
}

/** Of whatever is signed. */
const SIGNED_ERRORS: readonly ErrorCode[] = ['unauthenticated', 'rate-limited']
const ANY_ERRORS: readonly ErrorCode[] = ['client-too-old', 'internal', 'unavailable']

/** By status: which codes it can carry. */
function problems(codes: readonly ErrorCode[]): Record<string, unknown> {
  const byStatus = Map.groupBy(codes, (code) => ERROR_STATUS[code])
  return Object.fromEntries(
    Array.from(byStatus, ([status, those]) => [
      status,
      {
        description: those.join(', '),
        content: { [PROBLEM_CONTENT_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } } },
      },
    ]),
  )
}

/** Bytes are base64url in JSON: what their schema makes of the text is not JSON's business. */
function schemaOf(shape: Shape<unknown>): unknown {
  const { $schema: _, ...schema } = toJsonSchema(shape, {
    errorMode: 'ignore',
    typeMode: 'input',
    ignoreActions: ['raw_transform'],
  })
  return schema
}
