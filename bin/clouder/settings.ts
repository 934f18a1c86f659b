import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { z } from 'zod'
import { exitCodes } from './exit-code.ts'
import { CommandFailure } from './failure.ts'
import { messageOf } from '#domain/errors.ts'
import { projectFolder } from '#bin/platform/tools.ts'

export interface Settings {
  readonly apiUrl: string
  readonly apiKey: string
}

const cliSchema = z.object({ apiUrl: z.url({ protocol: /^https?$/ }), apiKey: z.string().min(1) })

/** Where this installation keeps everything: the folder that `npm start` in this project uses. */
export function dataFolderOf(env: NodeJS.ProcessEnv): string {
  return env['CLOUDER_DATA'] ? resolve(env['CLOUDER_DATA']) : join(projectFolder, 'data')
}

/** Address and key: the variables first, then what `npm start` left in the data folder. */
export function readSettings(env: NodeJS.ProcessEnv): Settings {
  const stored = readStored(dataFolderOf(env))
  const apiUrl = env['CLOUDER_API_URL'] || stored?.apiUrl
  if (apiUrl === undefined) {
    throw new CommandFailure({
      exitCode: exitCodes.unreachable,
      cause: `No address of a Clouder is known: nothing was started with ${dataFolderOf(env)} yet.`,
      fix: 'npm start   # or CLOUDER_DATA=FOLDER, as it was started with; or CLOUDER_API_URL=https://… CLOUDER_API_KEY=ck_…',
    })
  }
  if (!URL.canParse(apiUrl) || !/^https?:/.test(apiUrl)) {
    throw new CommandFailure({
      exitCode: exitCodes.usage,
      cause: 'CLOUDER_API_URL is not an http address.',
      fix: 'CLOUDER_API_URL=http://localhost:4400',
    })
  }
  // The stored key belongs to the stored address: it is never sent to another one.
  const isStoredAddress = stored !== undefined && trim(stored.apiUrl) === trim(apiUrl)
  const apiKey = env['CLOUDER_API_KEY'] || (isStoredAddress ? stored.apiKey : undefined)
  if (apiKey !== undefined) return { apiUrl: trim(apiUrl), apiKey }
  throw new CommandFailure({
    exitCode: exitCodes.notAllowed,
    cause: `No API key for ${trim(apiUrl)} is known.`,
    fix: 'CLOUDER_API_KEY=ck_…   # a key of that installation',
  })
}

function readStored(folder: string): Settings | undefined {
  const file = join(folder, 'cli.json')
  if (!existsSync(file)) return undefined
  try {
    return cliSchema.parse(JSON.parse(readFileSync(file, 'utf8')))
  } catch (error) {
    throw new CommandFailure(
      {
        exitCode: exitCodes.failed,
        cause: `${file} cannot be read: ${messageOf(error).split('\n')[0] ?? ''}`,
        fix: 'CLOUDER_API_URL=… CLOUDER_API_KEY=…   # instead of the file; npm start writes its address anew',
      },
      { cause: error },
    )
  }
}

function trim(url: string): string {
  return url.replace(/\/+$/, '')
}
