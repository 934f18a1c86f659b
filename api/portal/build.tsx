import type { StepPlan } from '#domain/backup-plan.ts'
import type { Messages } from './messages/en.ts'
import type { OwnSubscription } from './own.ts'
import type { PortalView } from './portal-page.tsx'

/** How far the set-up or the removal is, in plain words: of steps, hosts and images nobody has to know. */
export function BuildProgress({ content, view }: { content: OwnSubscription; view: PortalView }) {
  const { build } = content
  const { words, formats } = view.speech
  if (build === null) return null
  const { newest } = build
  const [done, all] = [newest?.done_count ?? 0, Math.max(1, newest?.step_count ?? 1)]
  return (
    <section aria-labelledby="progress-title" class="progress">
      <h2 id="progress-title">{words.progress}</h2>
      <progress value={done} max={all} aria-labelledby="progress-title">
        {done} / {all}
      </progress>
      <p>
        {words.stages[stageOf(content)]}{' '}
        {newest !== null && words.progressOf(formats.quantity(String(done)), formats.quantity(String(all)))}
      </p>
      <p class="hint">{words.mayClose}</p>
    </section>
  )
}

const stages: Readonly<Partial<Record<StepPlan['kind'], keyof Messages['stages']>>> = {
  network: 'preparing',
  volume: 'preparing',
  image: 'fetching',
  restore: 'preparing',
  link: 'preparing',
  container: 'starting',
  ready: 'checking',
  peer: 'checking',
}

/** By the step that is under way, else by the next one. */
function stageOf({ build, row }: OwnSubscription): keyof Messages['stages'] {
  if (row.phase === 'unbuilding') return 'removing'
  const steps = build?.steps ?? []
  if (build?.newest == null || build.newest.state === 'planned') return 'waiting'
  const step = steps.find(({ state }) => state === 'running') ?? steps.find(({ state }) => state !== 'done')
  return (step && stages[step.kind]) ?? 'checking'
}
