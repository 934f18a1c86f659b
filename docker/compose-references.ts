import { secretNames, type ServiceDefinition } from '#domain/application.ts'
import type { Refusal } from './compose-refusals.ts'
import type { XClouder } from './x-clouder.ts'

export interface References {
  readonly block: XClouder
  /** Those that could be read; `names` has the others too, which are refused already. */
  readonly services: readonly ServiceDefinition[]
  readonly names: readonly string[]
  readonly volumes: readonly string[]
}

type Path = Refusal['path']

/** Names that lead nowhere: services, volumes and variables that the file does not have. */
export function refuseReferences(file: References, refusals: Refusal[]): void {
  for (const service of file.services) {
    refuseMounts(service, file, refusals)
    refuseDependencies(service, file, refusals)
    refuseVariables(service, file, refusals)
  }
  refuseBlock(file, refusals)
}

function refuseMounts(service: ServiceDefinition, file: References, refusals: Refusal[]): void {
  for (const [index, mount] of service.mounts.entries()) {
    requireVolume(file, mount.volume, ['services', service.name, 'volumes', index], refusals)
  }
}

function refuseDependencies(service: ServiceDefinition, file: References, refusals: Refusal[]): void {
  for (const on of service.dependsOn) {
    const path = ['services', service.name, 'depends_on']
    requireService(file, on.service, path, refusals)
    const other = file.services.find((one) => one.name === on.service)
    if (on.condition === 'healthy' && other !== undefined && other.healthCheck === null) {
      const reason = `${on.service} is waited for until it is healthy and has no healthcheck`
      refusals.push({ path, reason, remedy: `add one to ${on.service}, or wait for service_started` })
    }
  }
}

/** A dollar sign that is neither `${NAME}` of a declared secret nor `$$`. */
function refuseVariables(service: ServiceDefinition, file: References, refusals: Refusal[]): void {
  const declared = new Set(file.block.secrets.map((secret) => secret.name))
  const test = service.healthCheck?.test ?? []
  const templates: [Path, string][] = [
    ...Object.entries(service.environment).map(([name, value]): [Path, string] => [
      ['environment', name],
      value,
    ]),
    ...(service.command ?? []).map((text, index): [Path, string] => [['command', index], text]),
    ...(service.entrypoint ?? []).map((text, index): [Path, string] => [['entrypoint', index], text]),
    ...test.map((text, index): [Path, string] => [['healthcheck', 'test', index], text]),
  ]
  for (const [at, template] of templates) {
    const path = ['services', service.name, ...at]
    for (const name of secretNames(template).filter((one) => !declared.has(one))) {
      refusals.push({
        path,
        reason: `\${${name}} is not declared`,
        remedy: 'declare it in x-clouder.secrets',
      })
    }
    if (template.replaceAll(/\$\$|\$\{[A-Za-z_][A-Za-z0-9_]*\}/g, '').includes('$')) {
      const remedy = 'write ${NAME} for a declared secret, $$ for a dollar sign'
      refusals.push({ path, reason: 'this form of a variable is not supported', remedy })
    }
  }
}

function refuseBlock(file: References, refusals: Refusal[]): void {
  const { block } = file
  if (block.public !== undefined)
    requireService(file, block.public.service, ['x-clouder', 'public', 'service'], refusals)
  for (const [index, { source }] of block.metrics.entries()) {
    const path = ['x-clouder', 'metrics', index, 'source']
    if (source.type === 'volume-disk') requireVolume(file, source.volume, path, refusals)
    if (source.type === 'command') requireService(file, source.service, path, refusals)
  }
  for (const [index, limit] of block.limits.entries()) {
    requireService(file, limit.service, ['x-clouder', 'limits', index, 'service'], refusals)
  }
}

function requireService(file: References, name: string, path: Path, refusals: Refusal[]): void {
  if (file.names.includes(name)) return
  refusals.push({ path, reason: `there is no service ${name}`, remedy: 'name a service of this file' })
}

function requireVolume(file: References, name: string, path: Path, refusals: Refusal[]): void {
  if (file.volumes.includes(name)) return
  refusals.push({ path, reason: `there is no volume ${name}`, remedy: `declare ${name} under volumes` })
}
