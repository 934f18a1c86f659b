import type { Mount, ServiceDefinition, SpecialOptions } from '#domain/application.ts'
import type { Reading } from './reading.ts'
import type { ServiceDraft } from './service-draft.ts'

/** What one service says of another: whose volumes it mounts, further names of others, whom it waits for. */
export function joinServices(
  drafts: readonly ServiceDraft[],
  services: readonly ServiceDefinition[],
  reading: Reading,
): ServiceDefinition[] {
  const byName = new Map(drafts.map((draft) => [draft.name, draft]))
  return services.map((service) => {
    const draft = byName.get(service.name)
    if (draft === undefined) return service
    const special = specialOf(service, drafts)
    return {
      ...service,
      mounts: [...service.mounts, ...mountsOfOthers(draft, services, reading)],
      dependsOn: dependenciesOf(draft, byName, reading),
      ...(Object.keys(special).length === 0 ? {} : { special }),
    }
  })
}

/** Names that others give to it, and whether one waits for its end. */
function specialOf(service: ServiceDefinition, drafts: readonly ServiceDraft[]): SpecialOptions {
  const given = drafts
    .flatMap((one) => one.aliasesOfOthers)
    .filter((other) => other.service === service.name)
    .map((other) => other.alias)
  const aliases = [...new Set([...(service.special?.aliases ?? []), ...given])]
  const isWaitedFor = drafts.some((draft) =>
    draft.dependsOn.some((on) => on.service === service.name && on.condition === 'completed'),
  )
  return {
    ...service.special,
    ...(aliases.length === 0 ? {} : { aliases }),
    ...(isWaitedFor ? { isJob: true } : {}),
  }
}

function mountsOfOthers(
  draft: ServiceDraft,
  services: readonly ServiceDefinition[],
  { findings }: Reading,
): Mount[] {
  return draft.mountsOf.flatMap((name) => {
    const other = services.find((service) => service.name === name)
    if (other !== undefined) return other.mounts
    const path = ['services', draft.name, 'volumes_from']
    findings.refuse(path, `there is no service ${name}`, 'name a service of this file')
    return []
  })
}

/** Who is left out is waited for by nobody. A wait for one service twice is the last one. */
function dependenciesOf(
  draft: ServiceDraft,
  byName: ReadonlyMap<string, ServiceDraft>,
  { findings, leftOut }: Reading,
): ServiceDefinition['dependsOn'] {
  const path = ['services', draft.name, 'depends_on']
  for (const on of draft.dependsOn.filter((one) => leftOut.has(one.service)))
    findings.replace(path, `${on.service} is left out, and not waited for`)
  const kept = draft.dependsOn
    .filter((on) => !leftOut.has(on.service))
    .filter((on) => on.isRequired || byName.has(on.service))
  const byService = new Map(kept.map(({ service, condition }) => [service, { service, condition }]))
  return [...byService.values()]
}
