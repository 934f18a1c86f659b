import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import test from 'node:test'
import { historyFromJSON } from '@temporalio/common/lib/proto-utils.js'
import { DefaultLogger, Runtime, Worker } from '@temporalio/worker'
import { bundleWorkflows } from '#bin/workflow-bundle.ts'

const folder = path.join(import.meta.dirname, 'histories')
Runtime.install({ logger: new DefaultLogger('ERROR') })

const recorded = (await readdir(folder)).filter((file) => file.endsWith('.json')).toSorted()
const workflowBundle = await bundleWorkflows()

async function readHistory(file: string) {
  return historyFromJSON(JSON.parse(await readFile(path.join(folder, file), 'utf8')))
}

for (const file of recorded) {
  test(`${path.basename(file, '.json')} replays with today's code: a workflow that runs goes on`, async () => {
    await Worker.runReplayHistory({ workflowBundle }, await readHistory(file))
  })
}

test('a history that the code could not have written is refused: replaying tells', async () => {
  const history = await readHistory('billing-run.json')
  const scheduled = history.events?.find((event) => event.activityTaskScheduledEventAttributes)
  assert.ok(scheduled?.activityTaskScheduledEventAttributes?.activityType)
  scheduled.activityTaskScheduledEventAttributes.activityType.name = 'somethingElse'
  await assert.rejects(
    async () => await Worker.runReplayHistory({ workflowBundle }, history),
    /TMPRL1100|[Dd]eterminis/,
  )
})
