import type { ApplicationDefinition, LinkOffer, LinkWant, ServiceDefinition } from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { variablesOf, type VariableUse } from '#domain/interpolation.ts'
import { templatesOf } from '#domain/variable.ts'
import type { Findings, Path } from './finding.ts'
import { requireService } from './references.ts'
import type { XClouder } from './x-clouder.ts'

/** What an `x-clouder` block wants of other applications and offers to them. */
export function linksOf(
  { wants, offers }: XClouder,
  services: readonly ServiceDefinition[],
): Pick<ApplicationDefinition, 'wants' | 'offers'> {
  return {
    ...(wants.length === 0 ? {} : { wants: wants.map((want) => wantOf(want, services)) }),
    ...(offers.length === 0 ? {} : { offers: offers.map(offerOf) }),
  }
}

function wantOf(want: XClouder['wants'][number], services: readonly ServiceDefinition[]): LinkWant {
  const { kind, name, required, automatic, tags, variables, on_link: onLink, on_unlink: onUnlink } = want
  const commanded = [onLink, onUnlink].flatMap((one) => (one === undefined ? [] : one.service))
  const told = services
    .filter((service) => usesAny(service, Object.keys(variables)) || commanded.includes(service.name))
    .map((service) => service.name)
  return {
    kind,
    name: name ?? kind,
    isRequired: required,
    isAutomatic: automatic,
    tags,
    variables,
    // Where nothing tells which, the first one is the application.
    services: told.length > 0 ? told : services.slice(0, 1).map((service) => service.name),
    ...(onLink === undefined ? {} : { onLink }),
    ...(onUnlink === undefined ? {} : { onUnlink }),
  }
}

function usesAny(service: ServiceDefinition, names: readonly string[]): boolean {
  const used = templatesOf(service).flatMap(({ text }) => variablesOf(text).map(({ name }) => name))
  return [...used, ...(service.special?.passedOn ?? [])].some((name) => names.includes(name))
}

function offerOf(offer: XClouder['offers'][number]): LinkOffer {
  const { kind, service, port, values, shared, tags, on_link: onLink, on_unlink: onUnlink } = offer
  return {
    kind,
    service,
    port: port ?? null,
    values,
    isShared: shared,
    tags,
    ...(onLink === undefined ? {} : { onLink }),
    ...(onUnlink === undefined ? {} : { onUnlink }),
  }
}

/** Names that lead nowhere: services that the file does not have, variables that no service uses or that are said twice. */
export function refuseLinks(file: ApplicationDefinition, findings: Findings): void {
  for (const [index, want] of (file.wants ?? []).entries()) {
    const path = ['x-clouder', 'wants', index]
    refuseCommands(file, want, path, findings)
    refuseVariables(file, want, [...path, 'variables'], findings)
  }
  for (const [index, offer] of (file.offers ?? []).entries()) {
    const path = ['x-clouder', 'offers', index]
    requireService(file, offer.service, [...path, 'service'], findings)
    refuseCommands(file, offer, path, findings)
    for (const [name, template] of Object.entries(offer.values))
      refuseTemplate(file, template, [...path, 'values', name], findings)
  }
}

function refuseCommands(
  file: ApplicationDefinition,
  { onLink, onUnlink }: Pick<LinkWant, 'onLink' | 'onUnlink'>,
  path: Path,
  findings: Findings,
): void {
  if (onLink !== undefined) requireService(file, onLink.service, [...path, 'on_link', 'service'], findings)
  if (onUnlink !== undefined)
    requireService(file, onUnlink.service, [...path, 'on_unlink', 'service'], findings)
}

function refuseVariables(file: ApplicationDefinition, want: LinkWant, path: Path, findings: Findings): void {
  for (const name of Object.keys(want.variables)) {
    if (file.secrets.some((secret) => secret.name === name))
      findings.refuse([...path, name], `${name} is a secret that is made here`, 'take it out of one of them')
    else if (!(file.variables ?? []).some((variable) => variable.name === name))
      findings.refuse([...path, name], `no service uses the variable ${name}`, `write \${${name}} into one`)
    const others = (file.wants ?? []).filter((one) => one !== want && Object.hasOwn(one.variables, name))
    if (others.length > 0)
      findings.refuse([...path, name], `two links set ${name}`, 'let each have one of its own')
  }
}

function refuseTemplate(file: ApplicationDefinition, template: string, path: Path, findings: Findings): void {
  for (const { name } of usesOf(template, path, findings)) {
    const isSecret = file.secrets.some((secret) => secret.name === name)
    const isPlain = (file.variables ?? []).some((one) => one.name === name && one.source !== 'link')
    if (!isSecret && !isPlain)
      findings.refuse(
        path,
        `${name} is no variable of this application`,
        'use a secret or variable of a service',
      )
  }
}

function usesOf(template: string, path: Path, findings: Findings): VariableUse[] {
  try {
    return variablesOf(template)
  } catch (error) {
    if (!(error instanceof BusinessError)) throw error
    findings.refuse(path, error.message, 'write a text, with ${NAME} where a variable belongs')
    return []
  }
}
