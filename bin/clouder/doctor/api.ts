import { z } from 'zod'
import type { Task } from '../answers.ts'
import { createApi } from '../client.ts'
import { CommandFailure } from '../failure.ts'
import { readReadiness } from '../readiness.ts'
import { readVersion } from '../version.ts'
import { fail, NothingToLookAt, ok, warn, type Check } from './check.ts'
import type { Place } from './place.ts'

const largestSkewSeconds = 5
const livenessSchema = z.object({ version: z.string().optional() })

export function apiChecks(place: Place): Check[] {
  const api = () => createApi(place.settings())
  const reachable = async () => {
    try {
      return await fetch(`${place.settings().apiUrl}/livez`, { signal: AbortSignal.timeout(5_000) })
    } catch (error) {
      if (error instanceof CommandFailure) throw new NothingToLookAt(error.message, { cause: error })
      throw new NothingToLookAt('The API does not answer.', { cause: error })
    }
  }
  return [
    {
      name: 'API',
      wanted: 'it answers and has all it needs',
      command: 'npm start',
      look: async () => {
        const { apiUrl } = place.settings()
        const missing = (await readReadiness(apiUrl)).filter((check) => !check.is_ready)
        if (missing.length === 0) return ok(`${apiUrl} is ready`)
        return fail(missing.map(({ name, detail }) => `${name}: ${detail}`).join('; '))
      },
    },
    {
      name: 'API version',
      wanted: `${readVersion()}, as this command line`,
      command: 'Ctrl-C in the terminal of npm start, then npm start again',
      look: async () => {
        const { version } = livenessSchema.parse(await (await reachable()).json())
        return version === readVersion() ? ok(version) : warn(version ?? 'it does not say')
      },
    },
    {
      name: 'clock',
      wanted: `this machine and the API differ by at most ${largestSkewSeconds} s`,
      command: 'timedatectl set-ntp true',
      look: async () => {
        const date = Date.parse((await reachable()).headers.get('date') ?? '')
        const skew = Math.round(Math.abs(Date.now() - date) / 1_000)
        return skew <= largestSkewSeconds ? ok(`${skew} s apart`) : warn(`${skew} s apart`)
      },
    },
    {
      name: 'API key',
      wanted: 'a key that the API accepts',
      command: 'CLOUDER_API_KEY=ck_…   # a key of that installation',
      look: async () => {
        await reachable()
        const { mode, scopes } = await api().get<{ mode: string; scopes: string[] }>('/v1/me')
        return ok(`${mode}, may ${scopes.includes('*') ? 'do everything' : scopes.join(', ')}`)
      },
    },
    {
      name: 'open tasks',
      wanted: 'none: nothing waits for a person',
      command: 'npx clouder tasks',
      look: async () => {
        await reachable()
        const { rows, hasMore } = await api().list<Task>('/v1/tasks', { open: 'true' }, 100)
        if (rows.length === 0) return ok('none')
        return warn(`${rows.length}${hasMore ? ' or more' : ''}, the newest: ${rows[0]?.subject ?? ''}`)
      },
    },
  ]
}
