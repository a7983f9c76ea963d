/** `couplet invitations`: hands over to the server program, which reads its own options. */
import type { Context } from '../context.ts'

export async function run({ rest, environment }: Context): Promise<number> {
  const { operatorCommand } = await import('@couplet/server-app')
  return operatorCommand('invitations', [...rest], environment)
}
