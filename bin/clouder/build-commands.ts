import type { Command } from 'commander'
import type { BuildDetail } from './answers.ts'
import { notFoundFailure } from './failure.ts'
import { withSession, type Session } from './session.ts'

interface Reason {
  reason?: string
}

/** What operators ask of a build beside a retry. A step is named by its id or by its number in the list. */
export function registerBuildCommands(group: Command): void {
  group
    .command('cancel <build>')
    .description('stop a build between two steps and undo what it made; its subscription waits for a retry')
    .option('--reason <reason>', 'why')
    .action(
      withSession<[string], Reason>(async (session, { args: [id], options }) => {
        tellAsked(session, await session.api.post<BuildDetail>(`${addressOf(id)}/cancel`, { ...options }))
      }),
    )
  const stepCommands = [
    ['resume', 'go back to a step, and go on from there'],
    ['skip', 'leave a step out; of a build that failed, when it is retried'],
    ['mark-done', 'take a step as done by hand; of a build that failed, when it is retried'],
  ] as const
  for (const [action, description] of stepCommands) {
    group
      .command(`${action} <build> <step>`)
      .description(description)
      .option('--reason <reason>', action === 'resume' ? 'why' : 'why; required')
      .action(
        withSession<[string, string], Reason>(async (session, { args: [id, step], options }) => {
          const body = { step: await toStepId(session, id, step), ...options }
          tellAsked(session, await session.api.post<BuildDetail>(`${addressOf(id)}/${action}`, body))
        }),
      )
  }
}

function addressOf(id: string): string {
  return `/v1/builds/${encodeURIComponent(id)}`
}

async function toStepId({ api }: Session, id: string, step: string): Promise<string> {
  if (!/^\d+$/.test(step)) return step
  const { steps } = await api.get<BuildDetail>(addressOf(id))
  const found = steps.find(({ position }) => position === Number(step) - 1)
  if (found) return found.id
  throw notFoundFailure(
    `Build ${id} has no step ${step}: it has ${steps.length}.`,
    `npx clouder builds watch ${id}`,
  )
}

function tellAsked({ out }: Session, build: BuildDetail): void {
  if (out.isJson) return out.json(build)
  out.facts([
    ['build', build.id],
    ['state', build.state],
    ['under way', build.running.join(', ') || 'nothing'],
  ])
  out.say(`\n  Next  npx clouder builds watch ${build.id}`)
}
