import { fail, ok, skipped, warn, type Check, type Finding } from './check.ts'
import type { Place } from './place.ts'
import { checkChain } from '#db/chain-check.ts'
import { pendingMigrations } from '#db/migrate.ts'
import { countUnsettledDocuments } from '#db/read/lost-document.ts'
import { listServersWithInstances, readOperation, type OperationFigures } from '#db/read/operation.ts'

const oldestPostgres = 15
const longestOutboxLagSeconds = 30
/** Of each series: a look must be over in seconds. */
const newestChecked = 1_000

export function databaseChecks(place: Place): Check[] {
  const figures = async () => await readOperation(await place.database())
  return [
    {
      name: 'PostgreSQL',
      wanted: `it answers, version ${oldestPostgres} or later`,
      command: `tail -50 ${place.dataFolder}/logs/postgres.log`,
      look: async () => {
        const { postgresVersion } = await figures()
        return Number.parseInt(postgresVersion, 10) >= oldestPostgres
          ? ok(postgresVersion)
          : fail(postgresVersion)
      },
    },
    {
      name: 'migrations',
      wanted: 'none pending',
      command: 'npm start   # migrates first',
      look: async () => {
        const pending = await pendingMigrations(place.databaseUrl())
        return pending.length === 0 ? ok('none pending') : fail(`pending: ${pending.join(', ')}`)
      },
    },
    {
      name: 'outbox',
      wanted: `nothing waits longer than ${longestOutboxLagSeconds} s to be started`,
      command: `tail -50 ${place.dataFolder}/logs/api.log`,
      look: async () => lookAtOutbox(await figures()),
    },
    {
      name: 'billing',
      wanted: 'no document waits a day or longer for its invoice',
      command: 'npx clouder tasks',
      look: async () => {
        const { overdueDocuments } = await figures()
        return overdueDocuments === 0 ? ok('none waits') : fail(`${overdueDocuments} documents wait`)
      },
    },
    {
      name: 'finalized documents',
      wanted: 'they are what they were when they were finalized',
      command: 'npx clouder invoices check   # names every one; look for who changed rows by hand',
      look: async () => lookAtChain(await checkChain(await place.database(), newestChecked)),
    },
    {
      name: 'documents that peers have',
      wanted: 'no peer has documents of ours that are not here',
      command:
        'npx clouder peers lost   # after a restore from an older backup; then npx clouder peers settle',
      look: async () => {
        const lost = await countUnsettledDocuments(await place.database())
        return lost === 0 ? ok('none is missing') : fail(`${lost} are not here`)
      },
    },
    {
      name: 'sampler',
      wanted: 'every server read within three sampling intervals',
      command: `tail -50 ${place.dataFolder}/logs/worker.log`,
      look: async () => {
        const { samplingIntervalSeconds } = await figures()
        return lookAtSampler(await listServersWithInstances(await place.database()), samplingIntervalSeconds)
      },
    },
  ]
}

function lookAtOutbox({ outboxWaiting, outboxLagSeconds }: OperationFigures): Finding {
  if (outboxWaiting === 0) return ok('empty')
  const found = `${outboxWaiting} wait, the oldest for ${outboxLagSeconds} s`
  return outboxLagSeconds > longestOutboxLagSeconds ? fail(found) : ok(found)
}

function lookAtChain({ documents, broken }: Awaited<ReturnType<typeof checkChain>>): Finding {
  if (broken.length === 0) return ok(`the newest ${documents} are`)
  const names = broken.map(({ series, number, fault }) => `${number} of ${series}: ${fault}`)
  return fail(names.slice(0, 5).join(', '))
}

type Server = Awaited<ReturnType<typeof listServersWithInstances>>[number]

function lookAtSampler(servers: readonly Server[], intervalSeconds: number): Finding {
  if (servers.length === 0) return skipped('there is no server yet')
  const found = servers
    .map(
      ({ code, unread_seconds: unread }) =>
        `${code} ${unread === null ? 'never read' : `read ${unread} s ago`}`,
    )
    .join(', ')
  const isLate = servers.some(({ unread_seconds: unread }) => unread === null || unread > 3 * intervalSeconds)
  return isLate ? warn(found) : ok(found)
}
