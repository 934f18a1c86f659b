import { BusinessError } from './errors.ts'
import {
  orderServices,
  type ApplicationDefinition,
  type Dependency,
  type HealthCheck,
  type ImageSource,
  type Mount,
  type ServiceDefinition,
  type SpecialOptions,
} from './application.ts'
import { pinStep, type ImagePin } from './image-pin.ts'
import {
  explainReason,
  linkNetworkName,
  offeredHost,
  type LinkNetwork,
  type PlannedLink,
} from './link-plan.ts'
import { isHeldBy, type Hold } from './limit-hold.ts'
import { checkPeerUrl } from './peer.ts'
import type { TakenOver } from './taken-over.ts'
import { addressValues, fillService, type VariableValues } from './variable.ts'

export interface ContainerLimits {
  readonly memoryMib: number
  readonly cpus: number
  readonly pids: number
}

/** What a container gets when its application asks for nothing. */
const DEFAULT_CONTAINER_LIMITS: ContainerLimits = { memoryMib: 512, cpus: 1, pids: 256 }

/** The most that a container may ask for, where nothing else was sold. */
export const CONTAINER_CEILING: ContainerLimits = { memoryMib: 4096, cpus: 4, pids: 256 }

export type GivenLimits = Readonly<Record<string, Partial<ContainerLimits>>>

/** One application deployed for a subscription, as far as a server has to know it. A plain JSON value. */
export interface PlannedInstance {
  readonly installation: string
  readonly customer: string
  readonly subscription: string
  /** The instance's id. */
  readonly instance: string
  readonly application: string
  /** With which it was built. */
  readonly generation: number
  /** Of services whose containers were replaced since then, by name. */
  readonly serviceGenerations?: Readonly<Record<string, number>>
  /** The environment's prefix, unique on the server: lower case letters, digits, hyphens. */
  readonly environmentPrefix: string
  /** Unique in the environment: lower case letters, digits, hyphens. */
  readonly name: string
  /** Port on 127.0.0.1 of the server; null when the application publishes nothing. */
  readonly hostPort: number | null
  /** Addresses of the environment's network, `10.201.0.64/26`; left out: the engine chooses, as it did before pools were planned. */
  readonly subnet?: string
  readonly ceiling: ContainerLimits
  /** What an operator gave to services by name, whatever their file asks for and the ceiling is. */
  readonly limits?: GivenLimits
  /** Left out: all variables are what the application says. */
  readonly variables?: VariableValues
  /** What the names of its images mean; left out, or without one of them: it is resolved when it is built. */
  readonly images?: readonly ImagePin[]
  /** What its volumes begin with; left out: they begin empty. */
  readonly restoreFrom?: readonly SavedCopy[]
  /** What was there before it. Left out: nothing, all of it is made here. */
  readonly takenOver?: TakenOver
  /** What it is linked to. */
  readonly links?: readonly PlannedLink[]
  /** Networks on which what it offers is reached from other environments. */
  readonly offeredOn?: readonly LinkNetwork[]
  /** What holds it at limits that are reached; left out: nothing does. */
  readonly holds?: readonly Hold[]
}

/** A volume that was saved and read back whole. */
export interface SavedCopy {
  /** The volume's name in the compose file. */
  readonly volume: string
  /** Where the server's storage has it. */
  readonly location: string
  readonly bytes: number
  /** Hexadecimal, of all its bytes. */
  readonly sha256: string
}

export type Labels = Readonly<Record<string, string>>

/** Carried by the container of a service that may end: with exit code 0 it has done what it is for. */
export const JOB_LABEL = 'io.clouder.job'

interface StepBase {
  /** What it is called on the server. Deterministic, so that a retry finds what an earlier try made. */
  readonly name: string
  /** For people. */
  readonly title: string
  /** Identity: an object of this name is adopted or removed only if it carries every one of these. */
  readonly labels: Labels
}

/** What a network is known by, and what it is made with. */
export type NetworkIdentity = Pick<NetworkStep, 'name' | 'labels' | 'subnet'>

export interface NetworkStep extends StepBase {
  readonly kind: 'network'
  /** Of one link alone: it is removed with it, whoever is attached. */
  readonly isOfLink?: true
  readonly subnet?: string
}

export interface VolumeStep extends StepBase {
  readonly kind: 'volume'
  /** The volume's name in the compose file. */
  readonly volume: string
  /** It was there before; then its name. */
  readonly takenOverId?: string
}

export interface ImageStep extends StepBase {
  readonly kind: 'image'
  readonly application: string
  readonly image: ImageSource
  /** Left out: it is resolved when the step is carried out. */
  readonly pin?: ImagePin
}

/** Fills volumes with what was saved of another instance, before any container can write into them. */
export interface RestoreStep extends StepBase {
  readonly kind: 'restore'
  readonly instance: PlannedInstance
  /** `volume` is the name on the server here. */
  readonly copies: readonly SavedCopy[]
  /** What the volumes hold is removed first: nothing of it is left beside what was saved. */
  readonly isInPlace?: boolean
}

/** Looks that what is offered is there and runs, and attaches it to the network of the link, where that has one. */
export interface LinkStep extends StepBase {
  readonly kind: 'link'
  /** `lnk_…` */
  readonly link: string
  readonly offer: LinkEnd
  /** Those of them that are there already are attached, too: a link that is made later needs no restart. */
  readonly wanting: readonly LinkEnd[]
  readonly network: string | null
}

export interface LinkEnd {
  readonly container: string
  /** Its label: a container of another instance under that name is none of ours. */
  readonly instance: string
  readonly aliases: readonly string[]
}

/** Strings of environment, command, entrypoint and health check are templates: no secret value is in a plan. */
export interface ContainerStep extends StepBase {
  readonly kind: 'container'
  readonly service: string
  /** By what the engine is asked for it: with a digest, or an engine's id, once its image was resolved. */
  readonly image: string
  /** The engine's id of that; left out as long as it is not resolved. */
  readonly imageId?: string
  readonly command: readonly string[] | null
  readonly entrypoint: readonly string[] | null
  readonly environment: Readonly<Record<string, string>>
  /** `volume` is the name on the server here. */
  readonly mounts: readonly Mount[]
  /** The environment's network; its name and labels, so that one removed meanwhile is made again. */
  readonly network: NetworkIdentity & { readonly aliases?: readonly string[] }
  /** On no network at all, as long as a limit is held by that. */
  readonly isCutOff?: true
  /** Each shared with one container of another environment. */
  readonly linkNetworks?: readonly {
    readonly name: string
    readonly labels: Labels
    readonly aliases: readonly string[]
  }[]
  /**
   * The other services under the names that the file gives them. They are links of this container only: two instances of one
   * environment may both have a service `db`, and neither ever reaches the other's by that name.
   */
  readonly peers: readonly {
    readonly service: string
    readonly container: string
    readonly aliases?: readonly string[]
  }[]
  /** `service` is the container's name on the server here. */
  readonly dependsOn: readonly Dependency[]
  readonly healthCheck: HealthCheck | null
  readonly exposedPorts: readonly number[]
  readonly publish: { readonly port: number; readonly hostPort: number } | null
  readonly user: string | null
  readonly workingDir: string | null
  readonly limits: ContainerLimits
  readonly hasInit: boolean
  readonly hasReadOnlyRoot: boolean
  readonly tmpfs: readonly string[]
  readonly capabilities: readonly string[]
  readonly special?: SpecialOptions
  /** How long its dependencies may take to become started or healthy. */
  readonly timeoutS: number
  /** It was there before, under this id of the engine: it is taken as it is, until it is made anew on request. */
  readonly takenOverId?: string
  readonly takenOverGeneration?: number
  /** Somebody gave it limits since: only then are these set, and compared. */
  readonly hasGivenLimits?: boolean
  /** Those of its volumes that were there before. */
  readonly takenOverVolumes?: readonly string[]
}

/** Nothing is made by this step: it observes that all containers run, are healthy, and that the public port answers. */
export interface ReadyStep extends StepBase {
  readonly kind: 'ready'
  readonly containers: readonly string[]
  readonly request: { readonly hostPort: number; readonly path: string } | null
  readonly timeoutS: number
}

/** Makes the installation that was built a peer of this one: what its customer is billed reaches it by itself. */
export interface PeerStep extends StepBase {
  readonly kind: 'peer'
  readonly container: string
  /** Prints an invitation. */
  readonly command: readonly string[]
  /** Where it answers: an invitation that leads elsewhere is refused. */
  readonly url: string
}

/** What an engine is asked for. A value of plain JSON, without secrets. */
export type EngineStep =
  NetworkStep | VolumeStep | RestoreStep | ImageStep | LinkStep | ContainerStep | ReadyStep

/** A value of plain JSON, without secrets. */
export type BuildStep = EngineStep | PeerStep

/** A step that leaves something on the server which unbuilding removes. Images stay, other instances share them. */
export type UndoableStep = NetworkStep | VolumeStep | ContainerStep

/** Names whose parts contain no underscore, so that two instances can never mean the same name. */
const NAME_PART = /^[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?$/

function networkIdentity(instance: PlannedInstance): NetworkIdentity {
  return {
    name: `${instance.environmentPrefix}_network`,
    labels: environmentLabels(instance),
    ...(instance.subnet === undefined ? {} : { subnet: instance.subnet }),
  }
}

/** Name on the server of a volume of the compose file. */
export function volumeName(instance: PlannedInstance, volume: string): string {
  return instance.takenOver?.volumes[volume] ?? `${instance.environmentPrefix}_${instance.name}_${volume}`
}

/** Name on the server of the container of a service: `acme_odoo_web`. */
export function containerName(
  instance: Pick<PlannedInstance, 'environmentPrefix' | 'name' | 'takenOver'>,
  service: string,
): string {
  return (
    instance.takenOver?.containers[service]?.name ??
    `${instance.environmentPrefix}_${instance.name}_${service}`
  )
}

/** What everything carries that this installation has on a server. */
export function installationLabels(installation: string): Labels {
  return { 'io.clouder.managed': 'true', 'io.clouder.installation': installation }
}

/** What every object of one environment carries: the network, which all its instances share, has these only. */
export function environmentLabels(
  instance: Pick<PlannedInstance, 'installation' | 'customer' | 'environmentPrefix'>,
): Labels {
  return {
    ...installationLabels(instance.installation),
    'io.clouder.customer': instance.customer,
    'io.clouder.environment': instance.environmentPrefix,
  }
}

/** Who an instance is: what its labels say. */
type InstanceIdentity = Pick<
  PlannedInstance,
  'installation' | 'customer' | 'environmentPrefix' | 'subscription' | 'instance' | 'application'
>

/** What every container and volume of the instance carries, whatever its component and generation. */
export function instanceLabels(instance: InstanceIdentity): Labels {
  return {
    ...environmentLabels(instance),
    'io.clouder.subscription': instance.subscription,
    'io.clouder.instance': instance.instance,
    'io.clouder.application': instance.application,
  }
}

/**
 * The steps that make an instance, in the order in which they are carried out: network, volumes and what they begin with,
 * images, links to others, one container a service after all it depends on, and the ready check.
 * @throws `application_refused` when a service asks for more memory, processors or processes than the instance's ceiling.
 * @throws `field_invalid` when the environment's prefix or the instance's name cannot be a part of a name on a server.
 */
export function planBuild(definition: ApplicationDefinition, instance: PlannedInstance): EngineStep[] {
  refuseBadNames(instance)
  // What was ordered is in the plan as it is.
  const values = {
    ...addressValues(definition, instance.hostPort),
    ...instance.variables,
    ...linkedValues(instance),
  }
  const services = orderServices(definition.services).map((service) => fillService(service, values))
  const network: NetworkStep = {
    kind: 'network',
    title: `Network of environment ${instance.environmentPrefix}`,
    ...networkIdentity(instance),
  }
  return [
    network,
    ...definition.volumes.map((volume) => planVolume(instance, volume)),
    ...planRestore(definition, instance),
    ...planImages(definition, services),
    ...(instance.links ?? []).flatMap((link) => planLink(instance, link)),
    ...services.map((service) => planContainer(definition, instance, service)),
    planReady(definition, instance, services),
  ].map((step) => pinStep(step, instance.images ?? []))
}

/**
 * The same, and what comes last with an installation: it is made a peer of this one.
 * @throws what `planBuild` throws, and `peer_url_refused` when it is said to be reached where no other one may speak to it
 */
export function planSale(definition: ApplicationDefinition, instance: PlannedInstance): BuildStep[] {
  return [...planBuild(definition, instance), ...planPeer(definition, instance)]
}

/**
 * The way back: of the steps that were really made, those that left something, last made first.
 * `[network, volume, image, container, ready]` gives `[container, volume, network]`.
 */
export function planUnbuild(made: readonly BuildStep[]): UndoableStep[] {
  return made.filter(isUndoable).toReversed()
}

function isUndoable(step: BuildStep): step is UndoableStep {
  return step.kind === 'container' || step.kind === 'volume' || step.kind === 'network'
}

function refuseBadNames(instance: PlannedInstance): void {
  for (const part of [instance.environmentPrefix, instance.name]) {
    if (NAME_PART.test(part)) continue
    const rule = 'lower case letters, digits and hyphens inside, at most 40'
    throw new BusinessError(
      'field_invalid',
      `${JSON.stringify(part)} cannot be a part of a name on a server: ${rule}`,
    )
  }
}

function planVolume(instance: PlannedInstance, volume: string): VolumeStep {
  return {
    kind: 'volume',
    name: volumeName(instance, volume),
    title: `Volume ${volume}`,
    labels: { ...instanceLabels(instance), 'io.clouder.component': volume },
    volume,
    ...(instance.takenOver?.volumes[volume] === undefined
      ? {}
      : { takenOverId: instance.takenOver.volumes[volume] }),
  }
}

/** A volume that the application has no more is left out. */
function planRestore(definition: ApplicationDefinition, instance: PlannedInstance): RestoreStep[] {
  const { restoreFrom = [], ...planned } = instance
  const copies = restoreFrom.filter(({ volume }) => definition.volumes.includes(volume))
  if (copies.length === 0) return []
  return [
    {
      kind: 'restore',
      name: `${instance.environmentPrefix}_${instance.name}`,
      title: `Restore of ${copies.map(({ volume }) => volume).join(', ')}`,
      labels: instanceLabels(instance),
      instance: planned,
      copies: copies.map((copy) => ({ ...copy, volume: volumeName(instance, copy.volume) })),
    },
  ]
}

function planImages(definition: ApplicationDefinition, services: readonly ServiceDefinition[]): ImageStep[] {
  const images = new Map(services.map((service) => [service.image.reference, service.image]))
  return [...images.values()].map((image) => ({
    kind: 'image',
    name: image.reference,
    title: `Image ${image.reference}${builtFrom(image)}`,
    labels: { 'io.clouder.managed': 'true' },
    application: definition.code,
    image,
  }))
}

/** Null stands for a secret of the offering instance, which is filled where the container is made. */
function linkedValues({ links = [] }: PlannedInstance): VariableValues {
  return Object.assign({}, ...links.map(({ variables }) => variables))
}

function planLink(instance: PlannedInstance, link: PlannedLink): (NetworkStep | LinkStep)[] {
  const labels = { ...instanceLabels(instance), 'io.clouder.component': link.name }
  const { offer } = link
  const network: NetworkStep[] = link.isAcross
    ? [
        {
          kind: 'network',
          name: linkNetworkName(link),
          title: `Network of the link ${link.name}`,
          labels,
          isOfLink: true,
        },
      ]
    : []
  return [
    ...network,
    {
      kind: 'link',
      name: `${instance.environmentPrefix}_${instance.name}_${link.name}`,
      title: `Link ${link.name}: ${offer.name} (${explainReason(link.reason)})`,
      labels,
      link: link.link,
      offer: { container: offer.container, instance: offer.instance, aliases: [offer.host] },
      wanting: link.services.map((service) => ({
        container: containerName(instance, service),
        instance: instance.instance,
        aliases: [],
      })),
      network: link.isAcross ? linkNetworkName(link) : null,
    },
  ]
}

/** What a container of the instance is attached to besides its environment's network, as one who wants or as one who offers. */
function planLinkNetworks(
  instance: PlannedInstance,
  service: ServiceDefinition,
): NonNullable<ContainerStep['linkNetworks']> {
  const wanted = (instance.links ?? [])
    .filter((link) => link.isAcross && link.services.includes(service.name))
    .map((link) => ({
      name: linkNetworkName(link),
      labels: { ...instanceLabels(instance), 'io.clouder.component': link.name },
      aliases: [],
    }))
  const offered = (instance.offeredOn ?? [])
    .filter((network) => network.service === service.name)
    .map(({ name, labels }) => ({ name, labels, aliases: [offeredHost(instance.name, service.name)] }))
  return [...wanted, ...offered]
}

function builtFrom(image: ImageSource): string {
  if (image.from === 'registry') return ''
  if (image.needsProgram === true) return ", built of this installation's program"
  return image.needsPackages === true ? ", built from Debian's packages" : ', built from local parts'
}

function planContainer(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  service: ServiceDefinition,
): ContainerStep {
  const isCutOff = isHeldBy(instance.holds, 'block_network') && isFront(definition, service.name)
  const linkNetworks = isCutOff ? [] : planLinkNetworks(instance, service)
  const isOffered = (definition.offers ?? []).some((offer) => offer.service === service.name)
  return {
    kind: 'container',
    name: containerName(instance, service.name),
    title: `Container ${service.name}`,
    labels: {
      ...instanceLabels(instance),
      'io.clouder.component': service.name,
      'io.clouder.generation': String(instance.serviceGenerations?.[service.name] ?? instance.generation),
      ...(service.special?.isJob === true ? { [JOB_LABEL]: 'true' } : {}),
    },
    service: service.name,
    image: service.image.reference,
    command: service.command,
    entrypoint: service.entrypoint,
    environment: service.environment,
    mounts: service.mounts.map((mount) => planMount(instance, mount)),
    network: {
      ...networkIdentity(instance),
      ...(isOffered ? { aliases: [offeredHost(instance.name, service.name)] } : {}),
    },
    ...(isCutOff ? { isCutOff } : {}),
    ...(linkNetworks.length === 0 ? {} : { linkNetworks }),
    peers: definition.services
      .filter((peer) => peer.name !== service.name)
      .map((peer) => ({
        service: peer.name,
        container: containerName(instance, peer.name),
        ...(peer.special?.aliases === undefined ? {} : { aliases: peer.special.aliases }),
      })),
    dependsOn: service.dependsOn.map((on) => ({ ...on, service: containerName(instance, on.service) })),
    healthCheck: service.healthCheck,
    exposedPorts: service.exposedPorts,
    publish: planPublish(definition, instance, service),
    user: service.user,
    workingDir: service.workingDir,
    limits: planLimits(instance, service),
    hasInit: service.hasInit,
    hasReadOnlyRoot: service.hasReadOnlyRoot,
    tmpfs: [...new Set(['/tmp', ...service.tmpfs])],
    capabilities: service.capabilities,
    ...(service.special === undefined ? {} : { special: service.special }),
    timeoutS: definition.ready.timeoutS,
    ...planTakenOver(instance, service),
  }
}

function planTakenOver(
  { takenOver, limits }: PlannedInstance,
  service: ServiceDefinition,
): Pick<ContainerStep, 'takenOverId' | 'takenOverGeneration' | 'hasGivenLimits' | 'takenOverVolumes'> {
  if (takenOver === undefined) return {}
  const container = takenOver.containers[service.name]
  return {
    ...(container === undefined
      ? {}
      : {
          takenOverId: container.id,
          takenOverGeneration: takenOver.generation,
          hasGivenLimits: limits?.[service.name] !== undefined,
        }),
    takenOverVolumes: Object.values(takenOver.volumes),
  }
}

function planMount(instance: PlannedInstance, mount: Mount): Mount {
  const isHeld = (instance.holds ?? []).some(
    (hold) => hold.way === 'read_only' && (hold.volume === null || hold.volume === mount.volume),
  )
  return {
    ...mount,
    volume: volumeName(instance, mount.volume),
    isReadOnly: mount.isReadOnly || isHeld,
  }
}

/** The service that customers reach; every one, where none is public. */
export function isFront(definition: Pick<ApplicationDefinition, 'public'>, service: string): boolean {
  return definition.public === null || definition.public.service === service
}

function planPublish(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  service: ServiceDefinition,
): ContainerStep['publish'] {
  if (definition.public?.service !== service.name || instance.hostPort === null) return null
  if (isHeldBy(instance.holds, 'block_ingress', 'block_network')) return null
  return { port: definition.public.port, hostPort: instance.hostPort }
}

/** @throws `application_refused` when the service asks for more than the ceiling */
export function planLimits(
  instance: Pick<PlannedInstance, 'ceiling' | 'limits'>,
  service: Pick<ServiceDefinition, 'name' | keyof ContainerLimits>,
): ContainerLimits {
  const limit = (key: keyof ContainerLimits): number => {
    const given = instance.limits?.[service.name]?.[key]
    if (given !== undefined) return given
    const asked = service[key]
    const ceiling = instance.ceiling[key]
    if (asked === null) return Math.min(DEFAULT_CONTAINER_LIMITS[key], ceiling)
    if (asked <= ceiling) return asked
    throw new BusinessError(
      'application_refused',
      `service ${service.name} asks for ${key} ${asked}, the instance may have ${ceiling}: ask for less, or sell more`,
    )
  }
  return { memoryMib: limit('memoryMib'), cpus: limit('cpus'), pids: limit('pids') }
}

function planReady(
  definition: ApplicationDefinition,
  instance: PlannedInstance,
  services: readonly ServiceDefinition[],
): ReadyStep {
  const { hostPort } = instance
  const isBlocked = isHeldBy(instance.holds, 'block_ingress', 'block_network')
  const isPublic = definition.public !== null && hostPort !== null && !isBlocked
  return {
    kind: 'ready',
    name: `${instance.environmentPrefix}_${instance.name}`,
    title: isPublic ? `Ready: ${definition.ready.path} answers` : 'Ready: all containers run',
    labels: instanceLabels(instance),
    containers: services.map((service) => containerName(instance, service.name)),
    request: isPublic ? { hostPort, path: definition.ready.path } : null,
    timeoutS: definition.ready.timeoutS,
  }
}

/** Without an address there is nobody to speak to. */
function planPeer({ peer }: ApplicationDefinition, instance: PlannedInstance): PeerStep[] {
  const { hostPort, variables = {} } = instance
  if (peer === undefined) return []
  const said = peer.address === null ? null : variables[peer.address]
  if (!said && hostPort === null) return []
  return [
    {
      kind: 'peer',
      name: `${instance.environmentPrefix}_${instance.name}`,
      title: 'Peer: its bills reach it by themselves',
      labels: instanceLabels(instance),
      container: containerName(instance, peer.service),
      command: peer.command,
      url: checkPeerUrl(said || `http://127.0.0.1:${hostPort}`),
    },
  ]
}
