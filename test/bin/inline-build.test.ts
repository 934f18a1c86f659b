import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import path from 'node:path'
import test from 'node:test'
import { promisify } from 'node:util'
import { loaderFlags } from '#bin/platform/tools.ts'
import { buildInline } from '#bin/inline-build.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { createDiary } from '#test/support/customer-diary.ts'
import { startInstallation, type Json } from '#test/support/installation.ts'

const project = path.join(import.meta.dirname, '../..')

/** What is not made in the order of its position goes on side by side: by name, both lists have one order. */
function made(calls: readonly string[]): string[] {
  return calls.filter((call) => call.startsWith('ensure')).toSorted()
}

test('a plan walked at once in one process does the same steps, in the same order, with the same result as in the queue', async (t) => {
  const queued = createDryRunRunner()
  const installation = await startInstallation({ wrapRunner: () => queued })
  t.after(async () => await installation.stop())
  const diary = createDiary(installation)
  const subscription = await diary.order([{ kit: 'odoo-config-1' }])
  await diary.untilPhase(subscription, 'active')
  const rows = await installation.db
    .selectFrom('build_steps')
    .select(['plan', 'waits_for', 'progress'])
    .orderBy('position')
    .execute()
  const steps = rows.flatMap(({ plan }) =>
    plan.kind === 'backup' || plan.kind === 'peer' ? [] : [{ sequence: 0, step: plan }],
  )

  const inline = createDryRunRunner()
  const ctx = { abortSignal: new AbortController().signal, secrets: {}, onProgress: () => {} }
  const done = await buildInline(steps, inline, ctx)

  assert.deepEqual(made(inline.calls()), made(queued.calls()))
  const positions = done.map(({ step }) => steps.findIndex((one) => one.step === step))
  for (const [position, { waits_for: before }] of rows.entries())
    for (const other of before ?? []) assert.ok(positions.indexOf(other) < positions.indexOf(position))
  const result = new Map(done.map(({ step, outcome }) => [step, outcome.detail]))
  assert.deepEqual(
    steps.map(({ step }) => result.get(step)),
    rows.map(({ progress }) => progress),
  )
})

test('the command line lists the steps of a compose file, and what walking them would do', async () => {
  const file = path.join(project, 'applications/wordpress/compose.yaml')
  const args = [...loaderFlags, path.join(project, 'bin/clouder.ts'), 'applications', 'plan', file]
  const { stdout } = await promisify(execFile)(process.execPath, [...args, '--inline', '--json'])
  const { steps, calls } = JSON.parse(stdout) as { steps: Json[]; calls: string[] }
  assert.equal(calls.length, steps.length)
  assert.deepEqual(steps[0]?.['waits_for'], [])
  assert.match(calls.at(-1) ?? '', /^ensure ready/)
})
