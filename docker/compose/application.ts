import {
  type ApplicationDefinition,
  type BackupDefinition,
  type ServiceDefinition,
} from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { pointerOf } from '#domain/json-pointer.ts'
import type { SharedMetric } from '#domain/shared-metric.ts'
import { extendServices } from './extends.ts'
import { iconOf } from './icon.ts'
import { describeFinding, Findings, type Finding, type Path } from './finding.ts'
import { linksOf, refuseLinks } from './links.ts'
import { metricsOf } from './metrics.ts'
import {
  below,
  fixedText,
  listOf,
  mapOf,
  refuse,
  replace,
  type Folder,
  type Place,
  type Reading,
} from './reading.ts'
import { refuseReferences } from './references.ts'
import { checkSchema } from './schema.ts'
import { joinServices } from './joined-services.ts'
import { finishDraft, type ServiceDraft } from './service-draft.ts'
import { readService } from './service.ts'
import { readSource, type Source } from './source.ts'
import { sizeMib, trueOrFalse } from './values.ts'
import { declareVariables, portOfMagicName } from './variables.ts'
import { readBlock, type XClouder } from './x-clouder.ts'

export interface ComposeFile {
  /** The application's code: the name of its folder. */
  readonly code: string
  readonly text: string
  /** What stands beside the file; nothing, where only the file is given. */
  readonly folder?: Folder
  /** Metrics that the installation defines; left out, where none is at hand. */
  readonly sharedMetrics?: readonly SharedMetric[]
}

/** What came of reading a file. */
export interface CheckedFile {
  readonly status: 'accepted' | 'needs_permission' | 'refused'
  /** In the order of the file. */
  readonly findings: readonly (Finding & { readonly line: number | undefined })[]
  /** Null unless the file is accepted. */
  readonly definition: ApplicationDefinition | null
}

/**
 * Reads a compose file: what it means here, and everything that is refused, replaced, or needs a permission.
 * @param grants permissions that an operator gave to this application
 */
export function checkApplication(file: ComposeFile, grants: readonly string[]): CheckedFile {
  const findings = new Findings(grants)
  const source = readSource(file.text, findings)
  const definition = source === undefined ? null : readFile(file, source, findings)
  const kinds = new Set(findings.all.map((finding) => finding.kind))
  const status = kinds.has('refused')
    ? 'refused'
    : kinds.has('needs_permission')
      ? 'needs_permission'
      : 'accepted'
  const found = findings.all.map((finding) => ({ ...finding, line: source?.lineOf(finding.path) }))
  return { status, findings: found, definition: status === 'accepted' ? definition : null }
}

/**
 * The application of a compose file that is accepted.
 * @throws `application_refused` with everything that stands against it, each with its place, reason and remedy
 */
export function parseApplication(file: ComposeFile, grants: readonly string[] = []): ApplicationDefinition {
  return definitionOf(file.code, checkApplication(file, grants))
}

/**
 * What came of an accepted file.
 * @throws `application_refused`
 */
export function definitionOf(code: string, { findings, definition }: CheckedFile): ApplicationDefinition {
  if (definition !== null) return definition
  const fields = findings
    .filter((finding) => finding.kind !== 'replaced')
    .map((finding) => ({
      pointer: pointerOf(finding.path),
      code: 'application_refused' as const,
      detail: describeFinding(finding, finding.line),
    }))
  const detail = `application ${code} is refused:\n${fields.map((field) => `- ${field.detail}`).join('\n')}`
  throw new BusinessError('application_refused', detail, { fields })
}

function readFile(file: ComposeFile, source: Source, findings: Findings): ApplicationDefinition | null {
  const { value } = source
  const wrong = checkSchema(value, findings)
  const reading: Reading = {
    code: file.code,
    folder: file.folder ?? { folders: {}, textOf: () => undefined },
    findings,
    volumes: new Set(Object.keys(mapOf(value['volumes']))),
    leftOut: new Set(),
    configs: mapOf(value['configs']),
    secrets: mapOf(value['secrets']),
  }
  const root: Place = { path: [], reading }
  const isWrong = (place: Place): boolean => wrong.some((path) => isPrefix(place.path, path))
  readTop(value, root, isWrong)
  const block = readBlock(value['x-clouder'], findings)
  const drafts = readServices(value, below(root, 'services'), block, isWrong)
  const services = drafts.map(finishDraft).filter((service) => service !== null)
  if (block === undefined || services.length < drafts.length || services.length === 0) return null
  const definition = define(file, block, drafts, services, reading)
  refuseReferences(definition, findings)
  refuseLinks(definition, findings)
  return definition
}

function isPrefix(prefix: Path, path: Path): boolean {
  return prefix.length <= path.length && prefix.every((part, index) => String(part) === String(path[index]))
}

/** The keys beside `services`. */
function readTop(
  value: Readonly<Record<string, unknown>>,
  root: Place,
  isWrong: (place: Place) => boolean,
): void {
  for (const key of Object.keys(value)) {
    const at = below(root, key)
    if (key === 'version') replace(at, 'version is obsolete: files are read by the specification of today')
    if (key === 'name') replace(at, 'Clouder names what it makes')
    if (key === 'include') refuse(at, 'other compose files are not read', 'write the services into this one')
    if (key === 'models') refuse(at, 'runs programs outside the container', 'remove it')
  }
  for (const [name, options] of Object.entries(mapOf(value['volumes']))) {
    const at = below(root, 'volumes', name)
    if (!isWrong(at)) readVolume(mapOf(options), at)
  }
  for (const [name, options] of Object.entries(mapOf(value['networks']))) {
    const at = below(root, 'networks', name)
    if (!isWrong(at)) readNetwork(mapOf(options), at)
  }
}

function readVolume(options: Readonly<Record<string, unknown>>, place: Place): void {
  for (const [key, value] of Object.entries(options)) {
    const at = below(place, key)
    if (key === 'external') {
      if (trueOrFalse(value, at) === true)
        refuse(at, 'the volume is an object of others', 'remove it: Clouder makes the volume')
    } else if (key === 'driver') {
      if (fixedText(value, at) !== 'local') refuse(at, 'only the local driver is taken', 'remove it')
    } else if (key === 'driver_opts') {
      if (Object.keys(mapOf(value)).length > 0) refuse(at, 'can mount any folder of the server', 'remove it')
    } else if (key === 'name' || key === 'labels') replace(at, 'Clouder names and labels what it makes')
    else if (!key.startsWith('x-')) refuse(at, `${key} is not supported`, 'remove it')
  }
}

const FOREIGN_NETWORKS = new Set(['host', 'macvlan', 'ipvlan'])

/** All services of an instance are on the one network of its environment, whatever networks the file has. */
function readNetwork(options: Readonly<Record<string, unknown>>, place: Place): void {
  const driver = fixedText(options['driver'] ?? 'bridge', below(place, 'driver'))
  if (driver !== undefined && FOREIGN_NETWORKS.has(driver))
    refuse(below(place, 'driver'), `${driver} reaches into the server's network`, 'remove it')
  for (const key of ['ipam', 'driver_opts'])
    if (Object.keys(mapOf(options[key])).length > 0)
      refuse(below(place, key), `${key} sets addresses of the server`, 'remove it')
  replace(place, "it is replaced by the environment's network")
}

function readServices(
  value: Readonly<Record<string, unknown>>,
  place: Place,
  block: XClouder | undefined,
  isWrong: (place: Place) => boolean,
): ServiceDraft[] {
  const services = extendServices(mapOf(value['services']), place.reading.findings)
  if (Object.keys(services).length === 0) refuse(place, 'there are no services', 'write at least one')
  const drafts: ServiceDraft[] = []
  for (const [name, service] of Object.entries(services)) {
    const at = below(place, name)
    if (!/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,62}$/.test(name))
      refuse(at, 'is not a name of letters and digits', 'rename it')
    const profiles = listOf(mapOf(service)['profiles']).map(String)
    if (profiles.length > 0 && !profiles.some((one) => block?.profiles.includes(one))) {
      replace(
        at,
        `it belongs to the profile ${profiles.join(', ')}, which x-clouder.profiles does not choose: it is left out`,
      )
      place.reading.leftOut.add(name)
      continue
    }
    const draft = readService(name, service, at, isWrong)
    if (draft.isLeftOut) place.reading.leftOut.add(name)
    else drafts.push(draft)
  }
  if (drafts.length === 0 && place.reading.leftOut.size > 0)
    refuse(
      place,
      'every service is left out',
      'choose a profile in x-clouder.profiles, or ask for a service once',
    )
  return drafts
}

function define(
  { code, sharedMetrics }: ComposeFile,
  block: XClouder,
  drafts: readonly ServiceDraft[],
  services: readonly ServiceDefinition[],
  reading: Reading,
): ApplicationDefinition {
  const whole = joinServices(drafts, services, reading)
  const disk =
    block.disk === undefined ? undefined : sizeMib(block.disk, { path: ['x-clouder', 'disk'], reading })
  const { secrets, variables } = declareVariables(whole, block)
  const icon =
    block.icon === undefined ? undefined : iconOf(block.icon, { path: ['x-clouder', 'icon'], reading })
  return {
    code,
    title: block.title ?? titleOf(code),
    isStandIn: block.stand_in,
    notice: block.notice ?? null,
    ...(icon === undefined ? {} : { icon }),
    public: block.public ?? publicOf(drafts),
    secrets,
    variables,
    permissions: reading.findings.used,
    metrics: metricsOf(block.metrics, sharedMetrics, reading.findings),
    limits: block.limits,
    ...(block.actions.length === 0 ? {} : { actions: block.actions }),
    ...(block.login === undefined ? {} : { login: block.login }),
    ...(block.peer === undefined ? {} : { peer: block.peer }),
    ...(block.form.length === 0 ? {} : { form: block.form }),
    ready: { path: block.ready.path, timeoutS: block.ready.timeout_s },
    ...(block.backup === undefined ? {} : { backup: backupOf(block.backup, reading) }),
    ...(block.tags.length === 0 ? {} : { tags: block.tags }),
    ...(disk === undefined ? {} : { diskMib: disk }),
    ...linksOf(block, whole),
    ...(block.children.length === 0 ? {} : { children: block.children }),
    services: whole,
    volumes: [...reading.volumes],
  }
}

function backupOf(
  { volumes, before, after, stop: isStopped }: NonNullable<XClouder['backup']>,
  reading: Reading,
): BackupDefinition {
  return { volumes: volumes ?? [...reading.volumes], before, after, isStopped }
}

/** `wordpress-with-mariadb` is `Wordpress with mariadb`. */
function titleOf(code: string): string {
  const words = code.replaceAll(/[-_]+/g, ' ')
  return words.charAt(0).toUpperCase() + words.slice(1)
}

/**
 * The service and port that customers reach, where the block does not say: the port in a magic name, else the first port
 * that the file publishes, else the only one that is exposed.
 */
function publicOf(drafts: readonly ServiceDraft[]): ApplicationDefinition['public'] {
  for (const draft of drafts) {
    const port = [...draft.passedOn, ...Object.keys(draft.environment)]
      .map(portOfMagicName)
      .find((one) => one !== null)
    if (port !== undefined && port !== null) return { service: draft.name, port }
  }
  const published = drafts.find((draft) => draft.publishedPorts.length > 0)
  const [port] = published?.publishedPorts ?? []
  if (published !== undefined && port !== undefined) return { service: published.name, port }
  const exposed = drafts.filter((draft) => draft.exposedPorts.size > 0)
  const [only] = exposed
  const [first] = only?.exposedPorts ?? []
  return only !== undefined && first !== undefined ? { service: only.name, port: first } : null
}
