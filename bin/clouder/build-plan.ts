import { buildInline } from '#bin/inline-build.ts'
import { createDryRunRunner } from '#docker/dry-run.ts'
import { checkApplication } from '#docker/compose/application.ts'
import { CONTAINER_CEILING, planBuild, type PlannedInstance } from '#domain/build-plan.ts'
import { orderBuild } from '#domain/step-order.ts'
import { composeFile } from './compose-check.ts'
import { usageFailure } from './failure.ts'
import type { Output } from './output.ts'

export interface PlanOptions {
  readonly inline?: true
  readonly grant?: string[]
}

/** The steps that a compose file is built in; carried out here and now without an engine, where it is asked. */
export async function tellPlan(
  out: Output,
  file: string,
  { inline, grant = [] }: PlanOptions,
): Promise<void> {
  const { code, ...read } = await composeFile(file)
  const { definition } = checkApplication({ code, ...read }, grant)
  if (definition === null)
    throw usageFailure(`${file} is not accepted as it is.`, `npx clouder applications check ${file}`)
  const steps = planBuild(definition, sampleOf(code)).map((step) => ({ sequence: 0, step }))
  const order = orderBuild(steps)
  const planned = steps.map(({ step: { kind, name, title } }, position) => ({
    kind,
    name,
    title,
    waits_for: order[position] ?? [],
  }))
  if (inline !== true) return out.isJson ? out.json({ steps: planned }) : tellSteps(out, planned)
  const runner = createDryRunRunner()
  const ctx = { abortSignal: new AbortController().signal, secrets: {}, onProgress: () => {} }
  const done = await buildInline(steps, runner, ctx)
  if (out.isJson) return out.json({ steps: planned, calls: runner.calls() })
  tellSteps(out, planned)
  out.say('\n  A dry run: nothing runs, no container was made. What would be done:\n')
  for (const { step, outcome } of done) out.say(`  ✓ ${step.kind} ${step.name}: ${outcome.detail}`)
}

function tellSteps(
  out: Output,
  steps: readonly { title: string; name: string; waits_for: readonly number[] }[],
): void {
  out.table(
    ['no.', 'step', 'name', 'waits for'],
    steps.map(({ title, name, waits_for: before }, position) => [
      String(position + 1),
      title,
      name,
      before.map((other) => other + 1).join(', ') || null,
    ]),
  )
}

/** An instance of nobody: what is planned for a customer has the same steps under its own names. */
function sampleOf(application: string): PlannedInstance {
  return {
    installation: 'preview',
    customer: 'preview',
    subscription: 'preview',
    instance: 'preview',
    application,
    generation: 1,
    environmentPrefix: 'preview',
    name: application.slice(0, 40).replace(/-+$/, ''),
    hostPort: 20_000,
    ceiling: CONTAINER_CEILING,
  }
}
