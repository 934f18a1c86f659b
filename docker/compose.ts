import { LineCounter, parseDocument, type Document } from 'yaml'
import { z } from 'zod'
import {
  orderServices,
  type ApplicationDefinition,
  type ImageSource,
  type ServiceDefinition,
} from '#domain/application.ts'
import { BusinessError } from '#domain/errors.ts'
import { describeRefusal, pointerOf, refuseKey, type Refusal } from './compose-refusals.ts'
import { refuseReferences } from './compose-references.ts'
import { composeService, type ComposeService } from './compose-service.ts'
import { objectName } from './compose-values.ts'
import { xClouder, type XClouder } from './x-clouder.ts'

const FILE_CHARACTERS_MAX = 256 * 1024

export interface ComposeFile {
  /** The application's code: the name of its folder. */
  readonly code: string
  readonly text: string
  /** Content hashes of the folders that the file may build from, by folder. */
  readonly folders: Readonly<Record<string, string>>
}

/**
 * Reads a compose file with an `x-clouder` block.
 * @throws `application_refused` with everything that is not accepted, each with its place, reason and remedy.
 */
export function parseApplication({ code, text, folders }: ComposeFile): ApplicationDefinition {
  if (text.length > FILE_CHARACTERS_MAX)
    throw new BusinessError('application_refused', `${code}: the file is too large`)
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true })
  const [broken] = document.errors
  if (broken !== undefined)
    throw new BusinessError('application_refused', `${code}: not YAML: ${broken.message}`)
  const refusals: Refusal[] = []
  const parts = parseParts(toRecord(code, document), refusals)
  const block = parts.block
  const services = [...parts.services].map(([name, service]) => toService(name, service, folders, refusals))
  if (block !== undefined) refuseReferences({ ...parts, block, services }, refusals)
  if (refusals.length > 0) throw refused(code, document, lines, refusals)
  if (block === undefined) throw new Error('a file without x-clouder has passed')
  return toDefinition(code, block, services, parts.volumes)
}

/** Aliases are resolved at most a hundred times: a small file could otherwise become a huge value. */
function toRecord(code: string, document: Document): Record<string, unknown> {
  try {
    return z
      .record(z.string(), z.unknown())
      .catch({})
      .parse(document.toJS({ maxAliasCount: 100 }))
  } catch (error) {
    throw new BusinessError('application_refused', `${code}: the file's aliases cannot be resolved`, {
      cause: error,
    })
  }
}

interface Parts {
  readonly block: XClouder | undefined
  readonly services: ReadonlyMap<string, ComposeService>
  readonly names: readonly string[]
  readonly volumes: readonly string[]
}

const topLevel = z.strictObject({
  services: z.record(z.string(), z.unknown()).refine((all) => Object.keys(all).length > 0, 'is empty'),
  volumes: z.record(objectName, z.strictObject({}).nullable()).default({}),
  'x-clouder': z.unknown(),
})

/** Each part is read for itself, so that one mistake does not hide those of the other parts. */
function parseParts(raw: Record<string, unknown>, refusals: Refusal[]): Parts {
  const file = read(topLevel, raw, [], refusals)
  const rawServices = z.record(z.string(), z.unknown()).catch({}).parse(raw['services'])
  const services = new Map<string, ComposeService>()
  for (const [name, value] of Object.entries(rawServices)) {
    read(objectName, name, ['services', name], refusals)
    const service = read(composeService, value, ['services', name], refusals)
    if (service !== undefined) services.set(name, service)
  }
  const block = read(xClouder, raw['x-clouder'] ?? {}, ['x-clouder'], refusals)
  return {
    block,
    services,
    names: Object.keys(rawServices),
    volumes: Object.keys(file?.volumes ?? raw['volumes'] ?? {}),
  }
}

function read<T>(
  schema: z.ZodType<T>,
  value: unknown,
  path: Refusal['path'],
  refusals: Refusal[],
): T | undefined {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  refusals.push(...result.error.issues.flatMap((issue) => toRefusals(issue, path)))
  return undefined
}

/** Of the forms that a value may have, the one that was nearly met says best what is wrong. */
function toRefusals(issue: z.core.$ZodIssue, prefix: Refusal['path']): Refusal[] {
  const path = [...prefix, ...issue.path.map((part) => (typeof part === 'number' ? part : String(part)))]
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => refuseKey(path, key))
  if (issue.code === 'invalid_union') {
    const [nearest] = issue.errors.toSorted((a, b) => distance(a) - distance(b))
    if (nearest !== undefined) return nearest.flatMap((inner) => toRefusals(inner, path))
  }
  const [reason = '', remedy = 'write what is expected'] = issue.message.split('; ')
  return [{ path, reason, remedy }]
}

function distance(issues: readonly z.core.$ZodIssue[]): number {
  return issues.some((issue) => issue.code === 'invalid_type' && issue.path.length === 0) ? 1 : 0
}

function toService(
  name: string,
  service: ComposeService,
  folders: ComposeFile['folders'],
  refusals: Refusal[],
): ServiceDefinition {
  const limits = service.deploy?.resources.limits
  const doubled =
    limits !== undefined && (service.mem_limit ?? service.cpus ?? service.pids_limit) !== undefined
  if (doubled) {
    const reason = 'deploy and mem_limit, cpus or pids_limit are both there'
    refusals.push({ path: ['services', name, 'deploy'], reason, remedy: 'keep one of the two' })
  }
  return {
    name,
    image: toImage(name, service, folders, refusals),
    command: service.command ?? null,
    entrypoint: service.entrypoint ?? null,
    environment: service.environment,
    mounts: service.volumes,
    dependsOn: service.depends_on,
    healthCheck: service.healthcheck ?? null,
    exposedPorts: service.expose,
    user: service.user ?? null,
    workingDir: service.working_dir ?? null,
    memoryMib: limits?.memory ?? service.mem_limit ?? null,
    cpus: limits?.cpus ?? service.cpus ?? null,
    pids: limits?.pids ?? service.pids_limit ?? null,
    hasInit: service.init,
    hasReadOnlyRoot: service.read_only,
    tmpfs: service.tmpfs,
    capabilities: [...new Set(service.cap_add)].sort(),
  }
}

const OUR_NAME = /^clouder\/[a-z0-9]+(?:-[a-z0-9]+)*$/

/** An image without tag or digest is its `latest`: the engine would pull all tags of it. */
function toImage(
  name: string,
  service: ComposeService,
  folders: ComposeFile['folders'],
  refusals: Refusal[],
): ImageSource {
  const { image, build } = service
  if (build === undefined) {
    const hasTag = image.includes('@') || image.slice(image.lastIndexOf('/') + 1).includes(':')
    return { from: 'registry', reference: hasTag ? image : `${image}:latest` }
  }
  const folder = build.replace(/^\.\//, '').replace(/\/+$/, '')
  const contentHash = Object.hasOwn(folders, folder) ? folders[folder] : undefined
  if (contentHash === undefined) {
    const reason = `${build} is not a folder of the application`
    refusals.push({
      path: ['services', name, 'build'],
      reason,
      remedy: 'name a folder that holds a Dockerfile',
    })
  }
  if (!OUR_NAME.test(image)) {
    const reason = 'an image that is built here never has the name of a public one'
    refusals.push({ path: ['services', name, 'image'], reason, remedy: 'call it clouder/… without a tag' })
  }
  return {
    from: 'folder',
    reference: `${image}:${contentHash ?? ''}`,
    folder,
    contentHash: contentHash ?? '',
  }
}

function toDefinition(
  code: string,
  block: XClouder,
  services: ServiceDefinition[],
  volumes: readonly string[],
): ApplicationDefinition {
  orderServices(services)
  return {
    code,
    title: block.title,
    isStandIn: block.stand_in,
    notice: block.notice ?? null,
    public: block.public ?? null,
    secrets: block.secrets,
    metrics: block.metrics,
    limits: block.limits,
    ready: { path: block.ready.path, timeoutS: block.ready.timeout_s },
    services,
    volumes: [...volumes],
  }
}

function refused(
  code: string,
  document: Document,
  lines: LineCounter,
  refusals: readonly Refusal[],
): BusinessError {
  const fields = refusals.map((refusal) => ({
    pointer: pointerOf(refusal.path),
    code: 'application_refused' as const,
    detail: describeRefusal(refusal, lineOf(document, lines, refusal.path)),
  }))
  const detail = `application ${code} is refused:\n${fields.map((field) => `- ${field.detail}`).join('\n')}`
  return new BusinessError('application_refused', detail, { fields })
}

/** The line of the value, or of the nearest thing around it that is in the file. */
function lineOf(document: Document, lines: LineCounter, path: Refusal['path']): number | undefined {
  for (let length = path.length; length > 0; length--) {
    const node: unknown = document.getIn(path.slice(0, length), true)
    if (typeof node !== 'object' || node === null || !('range' in node)) continue
    const { range } = node
    if (Array.isArray(range) && typeof range[0] === 'number') return lines.linePos(range[0]).line
  }
  return undefined
}
