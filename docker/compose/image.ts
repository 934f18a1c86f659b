import type { ImageSource } from '#domain/application.ts'
import { isRegistryHost, registryOf } from '#domain/registry.ts'
import { withProgram } from '../program.ts'
import { below, fixedText, isGranted, mapOf, pairsOf, refuse, type Place } from './reading.ts'
import type { ServiceDraft } from './service-draft.ts'

const REFERENCE =
  /^(?:[a-zA-Z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:(?:[._-]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._-]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/
const OUR_NAME = /^clouder\/[a-z0-9]+(?:-[a-z0-9]+)*$/

/** `image` and `build` say together where an image comes from: each is read where it stands, the second completes the first. */
export function readImage(draft: ServiceDraft, value: unknown, place: Place): void {
  if (place.path.at(-1) === 'build') readBuild(draft, value, place)
  else readReference(draft, value, place)
}

function readReference(draft: ServiceDraft, value: unknown, place: Place): void {
  const reference = fixedText(value, place)
  if (reference === undefined) return
  if (!REFERENCE.test(reference)) {
    refuse(place, `${JSON.stringify(reference)} is not the name of an image`, 'write it like name:tag')
    return
  }
  const host = registryOf(reference)
  if (!isRegistryHost(host)) {
    refuse(place, `${host} is an address or no full name`, 'name the registry, as in ghcr.io/acme/shop:1')
    return
  }
  if (draft.image?.from !== 'folder') {
    draft.image = { from: 'registry', reference: withTag(reference) }
    return
  }
  draft.image = named(draft.image, reference, place)
}

/** An image without tag or digest is its `latest`: the engine would pull all tags of it. */
function withTag(reference: string): string {
  const hasTag = reference.includes('@') || reference.slice(reference.lastIndexOf('/') + 1).includes(':')
  return hasTag ? reference : `${reference}:latest`
}

function named(image: Extract<ImageSource, { from: 'folder' }>, name: string, place: Place): ImageSource {
  if (!OUR_NAME.test(name))
    refuse(
      place,
      'an image that is built here never has the name of a public one',
      'call it clouder/… without a tag',
    )
  return { ...image, reference: `${name}:${image.contentHash}` }
}

/** By `x-packages: debian` a build is made with a network, on a base that has Debian's package manager. */
function readPackages(value: unknown, place: Place): boolean {
  if (value === undefined) return false
  if (value !== 'debian') refuse(place, `${JSON.stringify(value)} is not a kind of packages`, 'write debian')
  else if (place.reading.findings.holds('build_packages')) return true
  else
    refuse(
      place,
      'a build that installs packages reaches the network: only what Clouder ships may',
      'build the image elsewhere, and name it',
    )
  return false
}

/** By `x-program: clouder` the image holds this installation's own program. @returns its hash; undefined where none is asked for */
function readProgramHash(value: unknown, place: Place): string | undefined {
  if (value === undefined) return undefined
  const { findings, folder } = place.reading
  if (value !== 'clouder') return refuse(place, `${JSON.stringify(value)} is no program`, 'write clouder')
  if (folder.program !== undefined && findings.holds('build_program')) return folder.program
  return refuse(
    place,
    'an image of this installation’s own program is for what Clouder ships only',
    'build the image elsewhere, and name it',
  )
}

const BUILD_KEYS = new Set(['context', 'dockerfile', 'args', 'target'])

function readBuild(draft: ServiceDraft, value: unknown, place: Place): void {
  const asked = typeof value === 'string' ? { context: value } : mapOf(value)
  for (const key of Object.keys(asked).filter((one) => !BUILD_KEYS.has(one) && !one.startsWith('x-')))
    refuse(below(place, key), `${key} is not supported in a build`, 'remove it')
  const context = fixedText(asked['context'] ?? '.', place)
  if (context === undefined) return
  const isOutside =
    context.startsWith('/') ||
    context.includes('://') ||
    /\.git(?:#|$)/.test(context) ||
    context.split('/').includes('..')
  if (isOutside)
    return refuse(
      place,
      `${context} leads out of the application's folder`,
      'name a folder inside it, as in ./image',
    )
  if (!isGranted(place, 'build', 'a build runs programs of its author on the server')) return
  const folder = context.replace(/^\.\//, '').replace(/\/+$/, '') || '.'
  const folderHash = Object.hasOwn(place.reading.folder.folders, folder)
    ? place.reading.folder.folders[folder]
    : undefined
  if (folderHash === undefined)
    return refuse(
      place,
      `${context} is not a folder of the application`,
      'name a folder that holds a Dockerfile',
    )
  const buildArguments = Object.fromEntries(
    pairsOf(asked['args']).map(([name, item]) => [name, fixedText(item, place) ?? '']),
  )
  const program = readProgramHash(asked['x-program'], below(place, 'x-program'))
  const contentHash = program === undefined ? folderHash : withProgram(folderHash, program)
  const needsPackages = readPackages(asked['x-packages'], below(place, 'x-packages'))
  const image: Extract<ImageSource, { from: 'folder' }> = {
    from: 'folder',
    reference: `clouder/${place.reading.code}-${draft.name}:${contentHash}`,
    folder,
    contentHash,
    ...(asked['dockerfile'] === undefined ? {} : { dockerfile: fixedText(asked['dockerfile'], place) ?? '' }),
    ...(asked['target'] === undefined ? {} : { target: fixedText(asked['target'], place) ?? '' }),
    ...(Object.keys(buildArguments).length === 0 ? {} : { buildArguments }),
    ...(needsPackages ? { needsPackages: true as const } : {}),
    ...(program === undefined ? {} : { needsProgram: true as const }),
  }
  const name = draft.image?.reference.replace(/:latest$/, '')
  draft.image =
    name === undefined ? image : named(image, name, { ...place, path: [...place.path.slice(0, -1), 'image'] })
}
