import { join } from 'node:path'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { Connection } from '@temporalio/client'
import { createDemoInstallation, type DemoInstallation, type DemoMachine } from '#bin/demo-installation.ts'
import {
  billWork,
  compareDocuments,
  pair,
  readWaiting,
  sell,
  untilNothingWaits,
  type ComparedDocument,
  type DemoLink,
} from '#bin/demo-link.ts'
import { freePort } from '#bin/platform/ports.ts'
import { ensurePostgres } from '#bin/platform/postgres.ts'
import { PlatformProblem, describeProblem } from '#bin/platform/problem.ts'
import { createProgress, type Progress } from '#bin/platform/progress.ts'
import { onStopRequest } from '#bin/platform/stop-request.ts'
import { createTemplateDatabase } from '#bin/platform/template-database.ts'
import { ensureTemporal } from '#bin/platform/temporal.ts'
import { claimTemporaryRun, type TemporaryRun } from '#bin/platform/temporary-run.ts'
import { registerSearchAttributes } from '#bin/search-attributes.ts'
import { messageOf } from '#domain/errors.ts'

const folderPrefix = 'clouder-demo-peers-'
const steps = 7
/** Who bills whom: each is the supplier of the next. */
const cast = [
  { code: 'parent', name: 'Parent Hosting' },
  { code: 'child', name: 'Child Reseller' },
  { code: 'grandchild', name: 'Grandchild Studio' },
] as const
/** A customer of the child that is no installation. */
const ownCustomer = 'harbour-bakery'
const worksWhileAway = 5

const help = `
  npm run demo:peers [-- --stay]

  Starts three installations on this machine, each with its own database, namespace, API and worker: a parent that bills a
  child, which bills a grandchild. Sells, bills, takes the child away for a while, and shows that every document arrived
  once. Everything is in a temporary folder on free ports; nothing is deployed, and nothing is left.

    --stay    leave all of it running to look at, until Ctrl-C
`

/** Newest first they are stopped, whatever happens in between. */
const installations: DemoInstallation[] = []

async function startPlatform({ data, run }: TemporaryRun, progress: Progress): Promise<DemoMachine> {
  const folder = data.path
  // Servers that the shell names may be somebody's real ones: they are left alone.
  const env = { ...process.env, DATABASE_URL: undefined, TEMPORAL_ADDRESS: undefined }
  const postgres = await progress.step('PostgreSQL', { usually: '5 s' }, async (note) =>
    ensurePostgres({
      folder: join(folder, 'postgres'),
      port: await freePort(),
      password: data.postgresPassword,
      database: 'postgres',
      logFile: join(data.logs, 'postgres.log'),
      // All of it is thrown away in the end.
      isDurable: false,
      note,
      onProcess: (pid) => run.addProcess('postgres', pid),
      env,
    }),
  )
  const [first, ...others] = cast.map(({ code }) => code)
  const temporal = await progress.step(
    'Temporal, three namespaces',
    { usually: '5 s; 6 minutes if it must be built' },
    async (note) =>
      ensureTemporal({
        port: await freePort(),
        uiPort: await freePort(),
        namespace: first ?? '',
        otherNamespaces: others,
        logFile: join(data.logs, 'temporal.log'),
        note,
        onProcess: (pid) => run.addProcess('temporal', pid),
        env,
      }),
  )
  const template = await progress.step('Database schema', { usually: '3 s' }, async () =>
    createTemplateDatabase(postgres.url),
  )
  return {
    data,
    run,
    postgresUrl: postgres.url,
    template,
    temporalAddress: temporal.address,
    temporalUiUrl: temporal.uiUrl,
  }
}

async function startInstallations(machine: DemoMachine): Promise<DemoInstallation[]> {
  const connection = await Connection.connect({ address: machine.temporalAddress })
  try {
    await Promise.all(cast.map(async ({ code }) => registerSearchAttributes(connection, code)))
  } finally {
    await connection.close()
  }
  // One after the other: a template is copied by one at a time.
  for (const one of cast) installations.push(await createDemoInstallation(machine, one))
  await Promise.all(
    installations.map(async (installation) => {
      await installation.start()
      await installation.call('PATCH', '/v1/seller', { name: installation.name })
    }),
  )
  return installations
}

/** What a day brings, while all are there: a subscription, work, an invoice that was wrong. */
async function sellAndBill(links: readonly DemoLink[]): Promise<void> {
  for (const { supplier, customer } of links) {
    await sell(supplier, customer.code)
    await billWork(supplier, { customer: customer.code, description: 'Set-up', price: '120.00' })
    const wrong = { customer: customer.code, description: 'Set-up, billed twice', price: '120.00' }
    const invoice = await billWork(supplier, wrong)
    await supplier.call('POST', `/v1/invoices/${invoice}/void`, { reason: 'billed twice' })
  }
  await Promise.all(links.map(untilNothingWaits))
}

/** Nothing of it is lost: it waits, visibly, and comes in order. */
async function takeChildAway(link: DemoLink, write: (line: string) => void): Promise<void> {
  const { supplier, customer } = link
  await customer.stop()
  write(`        … API and worker of the ${customer.code} are stopped`)
  for (let work = 1; work <= worksWhileAway; work += 1)
    await billWork(supplier, { customer: customer.code, description: `Work ${work}`, price: `${work}0.00` })
  const { waiting, waiting_since: since } = await readWaiting(link)
  write(`        … the ${supplier.code} says: ${String(waiting)} documents wait since ${String(since)}`)
  await customer.start()
  const startedAt = Date.now()
  await untilNothingWaits(link)
  write(
    `        … the ${customer.code} is back; all arrived ${((Date.now() - startedAt) / 1_000).toFixed(1)} s later`,
  )
}

const noBorders = {
  top: '', 'top-mid': '', 'top-left': '', 'top-right': '', bottom: '', 'bottom-mid': '', 'bottom-left': '',
  'bottom-right': '', left: '', 'left-mid': '', mid: '', 'mid-mid': '', right: '', 'right-mid': '', middle: '  ',
} // prettier-ignore

function toTable(documents: readonly ComparedDocument[]): string {
  const table = new Table({
    head: ['from', 'to', 'document', 'number', 'total', 'there', 'state there', 'same hash'],
    chars: noBorders,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  })
  for (const row of documents)
    table.push([
      row.from,
      row.to,
      row.kind,
      row.number,
      row.total,
      row.numberThere ?? 'MISSING',
      row.stateThere ?? '',
      row.isEqual ? 'yes' : 'NO',
    ])
  return table.toString().replace(/^/gm, '  ')
}

/** @returns whether everything that was billed is there, once and the same */
async function tellStory(temporary: TemporaryRun, progress: Progress): Promise<boolean> {
  const machine = await startPlatform(temporary, progress)
  const [parent, child, grandchild] = await progress.step(
    'Parent, child, grandchild',
    { usually: '25 s', outcome: (made) => made.map(({ apiUrl }) => apiUrl).join(', ') },
    async () => startInstallations(machine),
  )
  if (!parent || !child || !grandchild) throw new Error('there are three')
  const links = await progress.step('Paired', { usually: '5 s' }, async () => [
    await pair(parent, child),
    await pair(child, grandchild),
  ])
  await progress.step('Sold and billed', { usually: '10 s' }, async () => {
    await sellAndBill(links)
    await billWork(child, { customer: ownCustomer, description: 'Web site', price: '450.00' })
  })
  await progress.step('The child away, and back', { usually: '30 s' }, async () => {
    const [toChild] = links
    if (toChild) await takeChildAway(toChild, progress.line)
  })
  const documents = (await Promise.all(links.map(compareDocuments))).flat()
  const { length } = documents.filter(({ isEqual }) => isEqual)
  progress.line(`\n${toTable(documents)}\n`)
  progress.line(`  ${length} of ${documents.length} documents are there, each once, with the same content.`)
  const { data } = await child.call('GET', `/v1/invoices?customer=${ownCustomer}`)
  progress.line(
    `  The child went on billing its own customers: ${(data as unknown[]).length} invoice to ${ownCustomer}, which is sent to nobody.`,
  )
  return length === documents.length
}

function tellAddresses(progress: Progress): void {
  const rows = installations.map(({ code, loginUrl }) => `  ${code.padEnd(12)} one-time login  ${loginUrl}`)
  progress.line(`\n${rows.join('\n')}\n\n  Ctrl-C stops and removes all of it.`)
}

async function stopInOrder({ run, remove }: TemporaryRun): Promise<void> {
  await Promise.all(
    installations.map(async (installation) => {
      await installation.stop()
      await installation.db.destroy()
    }),
  )
  await run.stopAll()
  remove()
}

async function run(mustStay: boolean): Promise<number> {
  const stopped = Promise.withResolvers<'stopped'>()
  let isStopping = false
  onStopRequest(() => {
    isStopping = true
    stopped.resolve('stopped')
  })
  const temporary = await claimTemporaryRun(folderPrefix)
  // What is under way when the stop begins may fail, and nobody wants to read about it.
  const progress = createProgress(steps, (line) => isStopping || console.log(line))
  try {
    const outcome = await Promise.race([tellStory(temporary, progress), stopped.promise])
    if (outcome !== 'stopped' && mustStay) tellAddresses(progress)
    if (outcome === 'stopped' || mustStay) await stopped.promise
    return outcome === 'stopped' ? 130 : outcome ? 0 : 1
  } finally {
    isStopping = true
    console.log('\n  Stopping everything in order …')
    await stopInOrder(temporary)
    console.log('  Nothing is left.')
  }
}

async function main(): Promise<number> {
  const options = { stay: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } as const
  try {
    const { values } = parseArgs({ options })
    if (values.help !== true) return await run(values.stay === true)
    console.log(help)
    return 0
  } catch (error) {
    console.error(
      error instanceof PlatformProblem ? `\n${describeProblem(error.facts)}\n` : `\n  ${messageOf(error)}\n`,
    )
    return 1
  }
}

process.exit(await main())
