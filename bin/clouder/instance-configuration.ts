import { setTimeout as sleep } from 'node:timers/promises'
import type { Command } from 'commander'
import type { Comparison, ConfigurationPreview } from './answers.ts'
import type { Api } from './client.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import { usageFailure } from './failure.ts'
import { instantText } from './format.ts'
import { gather } from './list.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

const appliedWithinMs = 60_000

interface Change {
  readonly name?: string
  readonly variable: readonly string[]
  readonly memory: readonly string[]
  readonly cpus: readonly string[]
  readonly pids: readonly string[]
  readonly reason?: string
  readonly preview?: true
  readonly later?: true
}

/** What of an instance is changed in place, and whether it runs so. */
export function registerInstanceConfiguration(group: Command): void {
  group
    .command('set <instance>')
    .description('change its name, variables and limits in place; volumes and data stay')
    .option('--name <text>', 'what people call it')
    .option('--variable <name=value>', 'a variable of its application; may be repeated', gather, [])
    .option('--memory <service=MiB>', 'memory of a service', gather, [])
    .option('--cpus <service=number>', 'processors of a service', gather, [])
    .option('--pids <service=number>', 'processes of a service', gather, [])
    .option('--reason <text>', 'why')
    .option('--preview', 'say which containers would restart, and change nothing')
    .option('--later', 'write down what is wanted; instances apply carries it out')
    .action(
      withSession<[string], Change>(async ({ api, out }, { args: [id], options }) => {
        const path = `/v1/instances/${encodeURIComponent(id)}`
        const asked = { variables: pairsOf('--variable', options.variable), limits: limitsOf(options) }
        if (options.preview) {
          return tellContainers(out, await api.post<ConfigurationPreview>(`${path}/preview`, asked))
        }
        const { name, reason, later } = options
        const change = { ...asked, name, reason, apply: later !== true }
        tellContainers(out, await api.patch<ConfigurationPreview>(path, change))
      }),
    )
  group
    .command('diff <instance>')
    .description('compare what is wanted with what runs, as it was seen last')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) =>
        tellComparison(out, await api.get<Comparison>(`/v1/instances/${encodeURIComponent(id)}/comparison`)),
      ),
    )
  group
    .command('apply <instance>')
    .description('have it run as it is wanted, and wait for that')
    .action(
      withSession<[string]>(async ({ api, out }, { args: [id] }) => {
        const path = `/v1/instances/${encodeURIComponent(id)}`
        await api.post(`${path}/apply`, {})
        return tellComparison(out, await untilApplied(api, `${path}/comparison`))
      }),
    )
}

async function untilApplied(api: Api, path: string): Promise<Comparison> {
  const endMs = Date.now() + appliedWithinMs
  for (;;) {
    const found = await api.get<Comparison>(path)
    if (found.is_as_wanted || Date.now() > endMs) return found
    await sleep(500)
  }
}

function tellComparison(out: Output, found: Comparison): ExitCode {
  if (out.isJson) out.json(found)
  else {
    out.table(
      ['service', 'what', 'wanted', 'running'],
      found.differences.map((row) => [row.service, row.key, row.wanted, row.running]),
    )
    const seen =
      found.observed_at === null ? 'Nobody has looked yet.' : `Seen ${instantText(found.observed_at)}.`
    out.say(found.is_as_wanted ? `  It runs as it is wanted. ${seen}` : `  ${seen}`)
  }
  return found.is_as_wanted ? exitCodes.ok : exitCodes.warnings
}

const effects = { kept: 'stays', updated: 'runs on, with other limits', replaced: 'is made anew' } as const

function tellContainers(out: Output, preview: ConfigurationPreview): void {
  if (out.isJson) return out.json(preview)
  out.table(
    ['service', 'container', 'what'],
    preview.containers.map((row) => [
      row.service,
      effects[row.effect],
      row.differences
        .map(({ key, wanted, running }) => `${key}: ${running ?? '–'} → ${wanted ?? '–'}`)
        .join(', '),
    ]),
  )
}

/** `web=4096` as a service and its value. @throws a usage failure */
function pairsOf(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    texts.map((text) => {
      const at = text.indexOf('=')
      if (at < 1) throw usageFailure(`${flag} ${text} is no pair.`, `Write it like ${flag} name=value.`)
      return [text.slice(0, at), text.slice(at + 1)]
    }),
  )
}

function limitsOf({ memory, cpus, pids }: Change) {
  const limits: Record<string, Record<string, number>> = {}
  for (const [flag, key, texts] of [
    ['--memory', 'memory_mib', memory],
    ['--cpus', 'cpus', cpus],
    ['--pids', 'pids', pids],
  ] as const) {
    for (const [service, text] of Object.entries(pairsOf(flag, texts))) {
      const value = Number(text)
      if (text === '' || !Number.isFinite(value))
        throw usageFailure(`${text || 'nothing'} is no number.`, `Write it like ${flag} ${service}=2.`)
      limits[service] = { ...limits[service], [key]: value }
    }
  }
  return limits
}
