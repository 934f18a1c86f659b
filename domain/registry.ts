import { fieldError } from './errors.ts'

/** What the engine calls the registry of names that say none. */
const publicRegistry = 'docker.io'

/** With what an engine signs in to a registry. */
export interface RegistryLogin {
  readonly host: string
  readonly username: string
  readonly password: string
}

/** The host of an image's registry: `ghcr.io` of `ghcr.io/acme/shop:2`, `docker.io` of `wordpress:6` and `acme/shop`. */
export function registryOf(reference: string): string {
  const [first = '', ...rest] = reference.split('/')
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost')
  if (!isHost || first === 'index.docker.io') return publicRegistry
  return first
}

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?'
const named = new RegExp(`^(?:${label}\\.)+[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?(?::\\d{1,5})?$`)
/** The engine itself reaches these, and no others, without TLS. */
const loopback = /^(?:localhost|127\.0\.0\.1)(?::\d{1,5})?$/

/**
 * Whether an engine may be sent to a host: a name that ends in letters, or the loopback of a developer's machine. Addresses are
 * refused in every form, so that no private network, no metadata service and nothing of ours is ever asked by number.
 */
export function isRegistryHost(host: string): boolean {
  const port = Number(host.split(':')[1] ?? '443')
  return host.length <= 253 && port >= 1 && port <= 65_535 && (named.test(host) || loopback.test(host))
}

/** @throws `registry_host_invalid` for `https://ghcr.io`, `user@ghcr.io`, `ghcr.io/acme`, `10.0.0.5`, `0x7f.1`, `[::1]` */
export function checkRegistryHost(host: string, pointer: string): void {
  if (isRegistryHost(host)) return
  const detail = `${JSON.stringify(host)} is no registry: write a name such as ghcr.io or registry.example.com:5000, without https:// and path; no address.`
  throw fieldError(pointer, 'registry_host_invalid', detail)
}
