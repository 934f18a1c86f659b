import { literalTemplate } from '#domain/interpolation.ts'
import type { FileMount, HostPath, Mount } from '#domain/application.ts'
import { below, fixedText, isGranted, mapOf, pathInFolder, refuse, replace, type Place } from './reading.ts'
import { containerPath, sizeMib, trueOrFalse } from './values.ts'

/** What the `volumes` of a service come to. */
export interface ServiceMounts {
  readonly mounts: Mount[]
  readonly files: FileMount[]
  readonly hostPaths: HostPath[]
  readonly tmpfs: string[]
}

const SOCKET = /(?:^|\/)(?:docker|podman|containerd)\.sock$/
/** Mounted by custom, so that a container has the time zone of its server. */
const TIME_ZONE_FILES = new Set(['/etc/localtime', '/etc/timezone'])
const VOLUME_NAME = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*$/
/** Hints for engines on other systems, and for sharing between hosts: they say nothing about what is mounted. */
const HINTS = new Set(['rw', 'z', 'Z', 'cached', 'delegated', 'consistent', 'nocopy'])

/** One item of the `volumes` of a service, in the short or the long form. */
export function readMount(value: unknown, place: Place, to: ServiceMounts): void {
  if (typeof value === 'string') readShort(value, place, to)
  else readLong(mapOf(value), place, to)
}

function readShort(value: string, place: Place, to: ServiceMounts): void {
  const text = fixedText(value, place)
  if (text === undefined) return
  const parts = text.split(':')
  if (parts.length === 1) return addVolume(anonymousName(text), text, false, place, to)
  const [source = '', target = '', modes = '', ...rest] = parts
  const unknown = modes.split(',').filter((mode) => mode !== '' && mode !== 'ro' && !HINTS.has(mode))
  if (rest.length > 0 || unknown.length > 0) {
    refuse(place, `${JSON.stringify(text)} is not source:target or source:target:ro`, 'write it like that')
    return
  }
  addSource({ source, target, isReadOnly: modes.split(',').includes('ro'), isFolder: null }, place, to)
}

function readLong(value: Readonly<Record<string, unknown>>, place: Place, to: ServiceMounts): void {
  const type = value['type'] ?? 'volume'
  const target = fixedText(value['target'], below(place, 'target')) ?? ''
  const source = fixedText(value['source'], below(place, 'source')) ?? ''
  const isReadOnly = trueOrFalse(value['read_only'] ?? false, below(place, 'read_only')) ?? false
  for (const key of ['cluster', 'image', 'npipe'])
    if (key in value || type === key)
      refuse(below(place, 'type'), `${key} is not a mount of Clouder's`, 'mount a volume')
  if (mapOf(value['volume'])['subpath'] !== undefined)
    refuse(
      below(place, 'volume', 'subpath'),
      'a part of a volume cannot be mounted',
      'mount a volume of its own',
    )
  if (type === 'tmpfs') return addTmpfs(target, mapOf(value['tmpfs']), place, to)
  // The collection that writes files into its templates does not put variables into them.
  if (typeof value['content'] === 'string')
    return addFile(target, literalTemplate(value['content']), place, to)
  if (type === 'volume' && source === '')
    return addVolume(anonymousName(target), target, isReadOnly, place, to)
  const isFolder = value['is_directory'] === true || value['isDirectory'] === true ? true : null
  if (type === 'volume' || type === 'bind') addSource({ source, target, isReadOnly, isFolder }, place, to)
}

interface MountSource {
  readonly source: string
  readonly target: string
  readonly isReadOnly: boolean
  /** Null: it is not said. */
  readonly isFolder: boolean | null
}

function addSource(mount: MountSource, place: Place, to: ServiceMounts): void {
  const { source, target, isReadOnly } = mount
  if (source.startsWith('/') || source.startsWith('~')) return addHostPath(mount, place, to)
  if (source.startsWith('.') || source.includes('/')) return addRelative(mount, place, to)
  if (!VOLUME_NAME.test(source)) {
    refuse(
      place,
      `${JSON.stringify(source)} is not the name of a volume`,
      'name a volume, and declare it under volumes',
    )
    return
  }
  addVolume(source, target, isReadOnly, place, to)
}

function addVolume(
  volume: string,
  target: string,
  isReadOnly: boolean,
  place: Place,
  to: ServiceMounts,
): void {
  const path = containerPath(target, place)
  if (path === undefined) return
  if (!place.reading.volumes.has(volume)) {
    place.reading.volumes.add(volume)
    replace(place, `volume ${volume} is not declared under volumes: Clouder makes it all the same`)
  }
  to.mounts.push({ volume, path, isReadOnly })
}

function addHostPath({ source, target, isReadOnly }: MountSource, place: Place, to: ServiceMounts): void {
  const path = containerPath(target, place)
  if (path === undefined) return
  if (source.startsWith('~') || source.split('/').includes('..')) {
    refuse(place, `${source} leads to a home, or out of where it is`, 'name a volume')
    return
  }
  if (isReadOnly && TIME_ZONE_FILES.has(source)) {
    replace(place, `${source} is not mounted: set the time zone by the variable TZ`)
    return
  }
  const isSocket = SOCKET.test(source)
  const permission = isSocket ? 'docker_socket' : `host_path:${source}`
  const reason = isSocket
    ? "whoever has the engine's socket has the server"
    : `${source} is a path of the server`
  if (isGranted(place, permission, reason)) to.hostPaths.push({ source, path, isReadOnly })
}

/**
 * A path beside the compose file. A file is copied from the application's folder; a folder becomes a volume.
 */
function addRelative(mount: MountSource, place: Place, to: ServiceMounts): void {
  const name = pathInFolder(mount.source)
  if (name === undefined) {
    refuse(
      place,
      `${mount.source} leads out of the application's folder`,
      'keep it in the folder, or name a volume',
    )
    return
  }
  const content = place.reading.folder.textOf(name)
  if (content !== undefined) return addFile(mount.target, literalTemplate(content), place, to)
  const isFile = mount.isFolder === null && (looksLikeFile(name) || looksLikeFile(mount.target))
  if (isFile) {
    refuse(place, `${name} is mounted, and is not in the application's folder`, 'put the file there')
    return
  }
  const volume = volumeFor(name)
  replace(place, `the folder ${mount.source} becomes the volume ${volume}`)
  place.reading.volumes.add(volume)
  addVolume(volume, mount.target, mount.isReadOnly, place, to)
}

/** A last part with an ending, such as `site.conf`, or `Caddyfile`; `conf.d` and `initdb.d` are folders by custom. */
function looksLikeFile(path: string): boolean {
  const last = path.replace(/\/+$/, '').split('/').at(-1) ?? ''
  const hasEnding = /[^.]\.[A-Za-z0-9]{1,8}$/.test(last) && !last.endsWith('.d')
  return !path.endsWith('/') && (hasEnding || /^[A-Z][a-z]+file$/.test(last))
}

function addFile(target: string, content: string, place: Place, to: ServiceMounts): void {
  const path = containerPath(target, place)
  if (path !== undefined) to.files.push({ path, content, mode: 0o644 })
}

/** A file system in memory is 64 MiB, whatever is asked: it counts as memory of the container. */
export const TMPFS_MIB = 64

function addTmpfs(
  target: string,
  options: Readonly<Record<string, unknown>>,
  place: Place,
  to: ServiceMounts,
): void {
  const path = containerPath(target, place)
  const size =
    options['size'] === undefined ? undefined : sizeMib(options['size'], below(place, 'tmpfs', 'size'))
  if (size !== undefined && size > TMPFS_MIB) replace(place, `a tmpfs has ${TMPFS_MIB} MiB, not ${size}`)
  if (path !== undefined) to.tmpfs.push(path)
}

/** `/var/lib/data` is a volume called `var-lib-data`. */
function anonymousName(target: string): string {
  return volumeFor(target)
}

function volumeFor(path: string): string {
  return (
    path
      .replaceAll(/[^a-zA-Z0-9]+/g, '-')
      .replaceAll(/^-|-$/g, '')
      .toLowerCase() || 'data'
  )
}
