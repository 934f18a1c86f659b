import { orderServices, type ApplicationDefinition, type ServiceDefinition } from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import type { Findings, Path } from './finding.ts'

/** Names that lead nowhere: services and volumes that the file does not have. */
export function refuseReferences(definition: ApplicationDefinition, findings: Findings): void {
  for (const service of definition.services) refuseDependencies(service, definition, findings)
  refuseBlock(definition, findings)
  refuseCircle(definition, findings)
}

function refuseDependencies(
  service: ServiceDefinition,
  file: ApplicationDefinition,
  findings: Findings,
): void {
  for (const on of service.dependsOn) {
    const path = ['services', service.name, 'depends_on']
    requireService(file, on.service, path, findings)
    if (on.service === service.name) findings.refuse(path, `${service.name} waits for itself`, 'remove it')
  }
}

function refuseBlock(file: ApplicationDefinition, findings: Findings): void {
  if (file.public !== null)
    requireService(file, file.public.service, ['x-clouder', 'public', 'service'], findings)
  for (const [index, { source }] of file.metrics.entries()) {
    const path = ['x-clouder', 'metrics', index, 'source']
    if (source.volume !== undefined) requireVolume(file, source.volume, path, findings)
    if (source.service !== undefined) requireService(file, source.service, path, findings)
  }
  refuseLimits(file, findings)
  if (file.login) requireService(file, file.login.service, ['x-clouder', 'login', 'service'], findings)
  refusePeer(file, findings)
  for (const [index, { service }] of (file.actions ?? []).entries())
    requireService(file, service, ['x-clouder', 'actions', index, 'service'], findings)
  refuseForm(file, findings)
  refuseBackup(file, findings)
}

/** Others speak to it where it is public, or where a variable says. */
function refusePeer({ peer, variables = [], ...file }: ApplicationDefinition, findings: Findings): void {
  if (peer === undefined) return
  const path = ['x-clouder', 'peer']
  requireService(file, peer.service, [...path, 'service'], findings)
  if (file.public === null)
    findings.refuse(path, 'it is reached by nobody', 'say under public which port is reached')
  if (peer.address !== null && !variables.some(({ name }) => name === peer.address))
    findings.refuse([...path, 'address'], `no service uses \${${peer.address}}`, 'use it, or remove it')
}

/** What is measured or held is in the file. */
function refuseLimits(file: ApplicationDefinition, findings: Findings): void {
  for (const [index, limit] of file.limits.entries()) {
    const path = ['x-clouder', 'limits', index]
    if ('service' in limit) requireService(file, limit.service, [...path, 'service'], findings)
    if ('metric' in limit && !file.metrics.some(({ code }) => code === limit.metric))
      findings.refuse(
        [...path, 'metric'],
        `there is no metric ${limit.metric}`,
        'name one of x-clouder.metrics',
      )
  }
}

/** What a field sets is used: otherwise people would be asked for nothing. */
function refuseForm({ form = [], variables = [], secrets }: ApplicationDefinition, findings: Findings): void {
  for (const [index, { variable, kind }] of form.entries()) {
    const path = ['x-clouder', 'form', index, 'variable']
    const isSecret = secrets.some(({ name }) => name === variable)
    const isAsked = variables.some(({ name, source }) => name === variable && source === 'asked')
    if (!isSecret && !isAsked)
      findings.refuse(path, `no service uses \${${variable}}`, 'use it, or remove the field')
    else if (isSecret && kind !== 'secret')
      findings.refuse(path, `${variable} is a secret`, 'make the field one: kind secret')
  }
}

function refuseBackup(file: ApplicationDefinition, findings: Findings): void {
  const path = ['x-clouder', 'backup']
  for (const [index, volume] of (file.backup?.volumes ?? []).entries())
    requireVolume(file, volume, [...path, 'volumes', index], findings)
  for (const when of ['before', 'after'] as const)
    for (const [index, { service }] of (file.backup?.[when] ?? []).entries())
      requireService(file, service, [...path, when, index, 'service'], findings)
}

/** Only of services that are there: one that is not is refused already. */
function refuseCircle(file: ApplicationDefinition, findings: Findings): void {
  const names = new Set(file.services.map((service) => service.name))
  const services = file.services.map((service) => ({
    ...service,
    dependsOn: service.dependsOn.filter((on) => names.has(on.service) && on.service !== service.name),
  }))
  try {
    orderServices(services)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    findings.refuse(['services'], error.message, 'cut the circle')
  }
}

/** Refuses a name that no service of the file has. */
export function requireService(
  file: Pick<ApplicationDefinition, 'services'>,
  name: string,
  path: Path,
  findings: Findings,
): void {
  if (file.services.some((service) => service.name === name)) return
  findings.refuse(path, `there is no service ${name}`, 'name a service of this file')
}

function requireVolume(file: ApplicationDefinition, name: string, path: Path, findings: Findings): void {
  if (file.volumes.includes(name)) return
  findings.refuse(path, `there is no volume ${name}`, `declare ${name} under volumes`)
}
