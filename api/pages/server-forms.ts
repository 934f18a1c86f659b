import { getServerCode } from '#db/server.ts'
import { BusinessError } from '#domain/errors.ts'
import { decodeId } from '#domain/identifier.ts'
import type { ServerExamination } from '#domain/runner.ts'
import { commandIdOf } from '../subscription-commands.ts'
import type { Frame } from '../frame.ts'
import { issueJoinToken } from '../routes/server-join.ts'
import { testServer } from '../routes/server-test.ts'
import { createServer } from '../routes/servers.ts'
import { newServerSchema } from '../schemas/server.ts'
import { parse } from '../validation.ts'
import { consolePage } from './console-page.tsx'
import { refusedInput, registerRowForm } from './row-form.ts'
import { keyedForm, readForm, refusedStatus } from './sent-form.ts'
import { toNewServer } from './server-form.tsx'
import { serversBody, serversPath, type ServersNews } from './server-list.tsx'

export function registerServerForms(frame: Frame): void {
  const { installationKey } = frame.deps
  registerRowForm(frame, {
    path: serversPath,
    permission: 'servers:write',
    form: () => 'add',
    carryOut: async (tx, { values, actor, now }) => {
      await createServer(tx, parse(newServerSchema, toNewServer(values), 'body'), {
        actor,
        now,
        installationKey,
      })
      return serversPath
    },
    showAgain: async (view, _id, refused) => {
      // What was typed in secret is not sent back.
      const { 'engine.key': _key, ...values } = refused.values
      return await serversBody(frame, view, { refused: { ...refused, values } })
    },
  })
  registerAsking(frame, 'test', async (id, commandId) => {
    const [found, code] = await Promise.all([
      testServer(frame, id, commandId),
      getServerCode(frame.deps.db, id),
    ])
    return { found: { server: code, text: sayFound(found) } }
  })
  // Not kept with the form, as answers of other forms are: the token is shown once.
  registerAsking(frame, 'join-token', async (id) => {
    const code = await getServerCode(frame.deps.db, id)
    const { command, expires_at: expiresAt } = await issueJoinToken(frame.deps, id, frame.deps.now())
    return { token: { server: code, command, expiresAt } }
  })
}

/** What is answered on the page itself, and left nowhere. */
function registerAsking(
  frame: Frame,
  action: string,
  ask: (id: string, commandId: string) => Promise<ServersNews>,
): void {
  const path = `${serversPath}/:id/${action}`
  consolePage(frame, { method: 'post', path, permission: 'servers:write' }, async (view, ctx) => {
    const publicId = ctx.req.param('id') ?? ''
    const values = await readForm(ctx)
    try {
      const { request } = keyedForm(ctx, values)
      return await serversBody(frame, view, await ask(decodeId('server', publicId), commandIdOf(request)))
    } catch (error) {
      if (!(error instanceof BusinessError)) throw error
      const refused = refusedInput(`${action}-${publicId}`, {}, error)
      return { ...(await serversBody(frame, view, { refused })), status: refusedStatus(error.code) }
    }
  })
}

function sayFound({ engineVersion, apiVersion, cpus, memoryMib, free, rights }: ServerExamination): string {
  const may = [...(rights.canList ? ['list'] : []), ...(rights.canCreate ? ['create'] : [])].join(' and ')
  return `engine ${engineVersion}, API ${apiVersion}; free are ${free.cpus} of ${cpus} processors and ${free.memoryMib} of ${memoryMib} MiB; it may ${may || 'nothing'}.`
}
