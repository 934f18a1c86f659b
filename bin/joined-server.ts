import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { writePrivateFile } from './platform/data-folder.ts'

const joinedSchema = z.object({
  server: z.string(),
  code: z.string(),
  installation: z.string(),
  installation_key: z.string(),
  database_url: z.string(),
  temporal_address: z.string(),
  temporal_namespace: z.string(),
})

/** What the host of a server keeps of having joined: where its work is, and what opens it. */
export type JoinedServer = z.infer<typeof joinedSchema>

function fileOf(dataFolder: string): string {
  return join(dataFolder, 'server.json')
}

/** Only the user who joined reads it: it holds the installation's key. */
export function keepJoinedServer(dataFolder: string, joined: JoinedServer): string {
  const file = fileOf(dataFolder)
  writePrivateFile(file, `${JSON.stringify(joined, undefined, 2)}\n`)
  return file
}

/** Undefined where nothing has joined. @throws when the file cannot be read */
export function readJoinedServer(dataFolder: string): JoinedServer | undefined {
  const file = fileOf(dataFolder)
  return existsSync(file) ? joinedSchema.parse(JSON.parse(readFileSync(file, 'utf8'))) : undefined
}
