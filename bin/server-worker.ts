import path from 'node:path'
import { NativeConnection, Runtime } from '@temporalio/worker'
import { z } from 'zod'
import { logError } from '#bin/error-log.ts'
import { addressRanges } from '#bin/address-ranges.ts'
import { runOnHost } from '#bin/host-command.ts'
import { toInstallationKey } from '#bin/installation-key.ts'
import { readJoinedServer } from '#bin/joined-server.ts'
import { ensureBusybox } from '#bin/platform/busybox.ts'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { ownProgram } from '#bin/platform/program.ts'
import { serveServer } from '#bin/server-queue.ts'
import { openDatabase } from '#db/database.ts'
import { createDockerRunner } from '#docker/runner.ts'

// The worker of one server, on its own host: it takes the work of that server's queue and of no other.

const environmentSchema = z.object({
  CLOUDER_DATA: z.string().min(1),
  CLOUDER_BACKUPS: z.string().default(''),
  CLOUDER_DATA_SOURCE_RANGES: addressRanges,
  CLOUDER_HOST_RULES: z.enum(['keep', 'leave']).default('keep'),
  DOCKER_HOST: z.string().default(''),
})

function giveUp(reason: string): never {
  console.error(`The worker of this server cannot start: ${reason}`)
  process.exit(2)
}

const env = environmentSchema.parse(process.env)
const joined =
  readJoinedServer(env.CLOUDER_DATA) ?? giveUp('it has not joined. npx clouder servers join TOKEN')
Runtime.install({ shutdownSignals: ['SIGINT', 'SIGTERM'] })
const db = openDatabase(joined.database_url, {
  applicationName: `clouder server ${joined.code}`,
  maxConnections: 12,
})
const connection = await NativeConnection.connect({ address: joined.temporal_address })
const queue = await serveServer(
  {
    db,
    installationKey: toInstallationKey(joined.installation_key),
    dataSourceRanges: env.CLOUDER_DATA_SOURCE_RANGES,
    runner: createDockerRunner({
      applicationsFolder: path.join(import.meta.dirname, '../applications'),
      busyboxPath: (await ensureBusybox((note) => console.error(note))) ?? '',
      packageArchive: await findPackageArchive(),
      runInNetwork: runOnHost,
      program: ownProgram,
      backupsFolder: path.resolve(env.CLOUDER_BACKUPS || path.join(env.CLOUDER_DATA, 'backups')),
      ...(env.CLOUDER_HOST_RULES === 'keep' ? { runOnHost } : {}),
      dockerHost: env.DOCKER_HOST,
    }),
  },
  { connection, namespace: joined.temporal_namespace, serverId: joined.server, onError: logError },
)
console.log(JSON.stringify({ message: 'server worker ready', server: joined.code, id: joined.server }))
await queue.ended
await connection.close()
await db.destroy()
