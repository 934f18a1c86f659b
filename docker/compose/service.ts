import { readFiles } from './files.ts'
import { readImage } from './image.ts'
import { readMount, TMPFS_MIB } from './mounts.ts'
import {
  textOf,
  below,
  fixedText,
  listOf,
  mapOf,
  pairsOf,
  refuse,
  replace,
  template,
  type Place,
} from './reading.ts'
import { expose, links, networks, ports } from './networking.ts'
import { rightsKeys } from './rights.ts'
import { deploy, pidCount, restart, scale } from './running.ts'
import { newDraft, type KeyReader, type ServiceDraft } from './service-draft.ts'
import {
  commandWords,
  containerPath,
  durationMs,
  processors,
  memorySize,
  sizeMib,
  trueOrFalse,
  wholeNumber,
} from './values.ts'

const OURS = /^(?:io\.clouder\.|com\.docker\.)/
const PROXIES = /^(?:traefik|caddy|coolify|dokploy)(?:[._]|$)/
const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_.-]*$/

const environment: KeyReader = (draft, value, place) => {
  for (const [name, item] of pairsOf(value)) {
    const at = Array.isArray(value) ? place : below(place, name)
    if (!VARIABLE_NAME.test(name))
      refuse(at, `${JSON.stringify(name)} is not the name of a variable`, 'write NAME=value')
    else if (item === null || item === undefined) draft.passedOn.push(name)
    else {
      const text = template(item, at)
      if (text !== undefined) draft.environment[name] = text
    }
  }
}

const command =
  (key: 'command' | 'entrypoint'): KeyReader =>
  (draft, value, place) => {
    if (value === null || value === undefined) return
    const words = commandWords(value, place)
    const parts = words?.map((word, index) =>
      template(word, Array.isArray(value) ? below(place, index) : place),
    )
    if (parts !== undefined && parts.every((part) => part !== undefined)) draft[key] = parts
  }

const volumes: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) readMount(item, below(place, index), draft)
}

const conditions: Readonly<Record<string, 'started' | 'healthy' | 'completed'>> = {
  service_started: 'started',
  service_healthy: 'healthy',
  service_completed_successfully: 'completed',
}

const dependsOn: KeyReader = (draft, value, place) => {
  if (Array.isArray(value)) {
    for (const service of value)
      draft.dependsOn.push({ service: textOf(service), condition: 'started', isRequired: true })
    return
  }
  for (const [service, on] of Object.entries(mapOf(value))) {
    const condition = conditions[textOf(mapOf(on)['condition'] ?? 'service_started')]
    if (condition === undefined)
      refuse(below(place, service, 'condition'), 'is no condition of Compose', 'write service_healthy')
    else draft.dependsOn.push({ service, condition, isRequired: mapOf(on)['required'] !== false })
  }
}

const healthCheck: KeyReader = (draft, value, place) => {
  const check = mapOf(value)
  const test = check['test']
  const isOff = trueOrFalse(check['disable'] ?? false, below(place, 'disable')) === true
  if (isOff || listOf(test)[0] === 'NONE') {
    draft.isHealthOff = true
    return
  }
  // Without a test, the image's own check holds.
  if (test === undefined) return
  const list = typeof test === 'string' ? ['CMD-SHELL', test] : listOf(test).map(textOf)
  if (list[0] !== 'CMD' && list[0] !== 'CMD-SHELL')
    return refuse(
      below(place, 'test'),
      'begins with neither CMD nor CMD-SHELL',
      'write ["CMD", "program", "argument"]',
    )
  const isFilled = list
    .map((part) => template(part, below(place, 'test')))
    .every((part) => part !== undefined)
  if (!isFilled) return
  if ('start_interval' in check)
    replace(below(place, 'start_interval'), 'the interval holds from the start on')
  draft.healthCheck = {
    test: list,
    intervalMs: durationMs(check['interval'] ?? '30s', below(place, 'interval')) ?? 0,
    timeoutMs: durationMs(check['timeout'] ?? '30s', below(place, 'timeout')) ?? 0,
    retries: wholeNumber(check['retries'] ?? 3, below(place, 'retries'), { least: 1, greatest: 1000 }) ?? 3,
    startPeriodMs: durationMs(check['start_period'] ?? '0s', below(place, 'start_period')) ?? 0,
  }
}

const labels: KeyReader = (draft, value, place) => {
  for (const [name, item] of pairsOf(value)) {
    if (OURS.test(name))
      refuse(place, `the label ${name} could take an identity that is not its own`, 'remove it')
    else if (PROXIES.test(name)) replace(place, `the label ${name} is left out: Clouder routes by itself`)
    else draft.labels[name] = template(item ?? '', place) ?? ''
  }
}

const volumesFrom: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const [service = '', mode] = textOf(item).split(':')
    if (service === 'container')
      refuse(below(place, index), 'mounts volumes of a container of others', 'mount a named volume in both')
    else if (mode === 'ro')
      refuse(below(place, index), 'mounts them read-only', 'mount the named volume in both services')
    else draft.mountsOf.push(service)
  }
}

const tmpfs: KeyReader = (draft, value, place) => {
  for (const [index, item] of listOf(value).entries()) {
    const at = below(place, index)
    const [path, options = ''] = (fixedText(item, at) ?? '').split(':')
    for (const option of options.split(',').filter((one) => one !== '')) {
      if (/^(?:rw|noexec|nosuid|nodev)$/.test(option)) continue
      if (/^(?:size|mode|uid|gid)=/.test(option))
        replace(at, `${option} is left out: a tmpfs has ${TMPFS_MIB} MiB, for everybody`)
      else refuse(at, `a tmpfs is never ${option}`, 'remove it')
    }
    const absolute = containerPath(path, at)
    if (absolute !== undefined) draft.tmpfs.push(absolute)
  }
}

const replaced =
  (reason: string): KeyReader =>
  (_draft, _value, place) =>
    replace(place, reason)

const flag =
  (key: 'hasInit' | 'hasReadOnlyRoot' | 'hasTty' | 'hasStdin'): KeyReader =>
  (draft, value, place) => {
    draft[key] = trueOrFalse(value, place) ?? false
  }

const text =
  (key: 'user' | 'hostname' | 'stopSignal' | 'platform'): KeyReader =>
  (draft, value, place) => {
    draft[key] = fixedText(value, place) || null
  }

const OPTIONAL_LIMIT = 'what is sold limits memory and processors; this hint changes nothing'

/** The keys of a service that Clouder reads. One that is neither here nor among `rightsKeys` is refused, never ignored. */
const serviceKeys: Readonly<Record<string, KeyReader>> = {
  image: readImage,
  build: readImage,
  environment,
  command: command('command'),
  entrypoint: command('entrypoint'),
  volumes,
  volumes_from: volumesFrom,
  depends_on: dependsOn,
  healthcheck: healthCheck,
  expose,
  ports,
  labels,
  networks,
  links,
  restart,
  deploy,
  scale,
  tmpfs,
  env_file: readFiles.envFile,
  configs: readFiles.configs,
  secrets: readFiles.secrets,
  user: text('user'),
  hostname: text('hostname'),
  stop_signal: text('stopSignal'),
  platform: text('platform'),
  init: flag('hasInit'),
  read_only: flag('hasReadOnlyRoot'),
  tty: flag('hasTty'),
  stdin_open: flag('hasStdin'),
  working_dir: (draft, value, place) => (draft.workingDir = containerPath(value, place) ?? null),
  stop_grace_period: (draft, value, place) => (draft.stopGracePeriodMs = durationMs(value, place) ?? null),
  mem_limit: (draft, value, place) => (draft.memoryMib = memorySize(value, place) ?? null),
  shm_size: (draft, value, place) => (draft.shmMib = sizeMib(value, place) ?? null),
  cpus: (draft, value, place) => (draft.cpus = processors(value, place) ?? null),
  pids_limit: (draft, value, place) => (draft.pids = pidCount(value, place)),
  exclude_from_hc: (draft, value, place) => {
    if (trueOrFalse(value, place) === true) draft.isJob = true
  },
  container_name: replaced('Clouder names containers'),
  logging: replaced('logs are kept to 3 files of 10 MB'),
  pull_policy: replaced('an image is pulled once, and kept by its digest'),
  pull_refresh_after: replaced('an image is pulled once, and kept by its digest'),
  attach: replaced('logs of all containers are kept'),
  mem_reservation: replaced(OPTIONAL_LIMIT),
  memswap_limit: replaced('memory and swap together are what the memory limit says'),
  cpu_shares: replaced(OPTIONAL_LIMIT),
  cpu_percent: replaced(OPTIONAL_LIMIT),
  cpu_count: replaced(OPTIONAL_LIMIT),
  profiles: () => {},
  extends: () => {},
  ...rightsKeys,
}

/** Reads one service, key by key; what the schema found wrong is skipped. */
export function readService(
  name: string,
  value: unknown,
  place: Place,
  isWrong: (place: Place) => boolean,
): ServiceDraft {
  const draft = newDraft(name)
  for (const [key, item] of Object.entries(mapOf(value))) {
    const at = below(place, key)
    if (key.startsWith('x-') || isWrong(at)) continue
    const read = Object.hasOwn(serviceKeys, key) ? serviceKeys[key] : undefined
    if (read === undefined) refuse(at, `${key} is not supported`, 'remove it')
    else read(draft, item, at)
  }
  if (draft.image === null && !('image' in mapOf(value)) && !('build' in mapOf(value)))
    refuse(place, 'has neither image nor build', 'name an image')
  return draft
}
