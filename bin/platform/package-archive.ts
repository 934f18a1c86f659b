import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { createReadStream, existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { PackageArchive } from '#docker/package-base.ts'
import { canInstallPackages, installPackages } from './apt.ts'
import { messageOf } from '#domain/errors.ts'
import type { Note } from './progress.ts'
import { runToEnd } from './run-to-end.ts'

const debootstrap = '/usr/sbin/debootstrap'
/** A container is thrown away when it was half installed: nothing in it has to survive a power cut. */
const dpkgOptions = 'force-unsafe-io\n'

/** Where this machine gets its own packages from: images get theirs from there too. */
type PackageSource = {
  /** `bookworm` */
  release: string
  /** Empty: what debootstrap takes by itself. */
  mirror: string
  /** The lines of `sources.list`; empty: as debootstrap writes them. */
  lines: string[]
}

/**
 * Whether debootstrap is here. Without it images of packages are built on a public one, and where there is none either, only they
 * are refused: a start does not fail for it.
 */
export async function ensureDebootstrap(note: Note): Promise<boolean> {
  if (existsSync(debootstrap)) return true
  if (process.platform !== 'linux' || !canInstallPackages()) return false
  await installPackages(['debootstrap'], note).catch((error: unknown) => note(messageOf(error)))
  return existsSync(debootstrap)
}

/** What debootstrap makes of this machine's own release; undefined where it cannot. */
export async function findPackageArchive(): Promise<PackageArchive | undefined> {
  if (process.getuid?.() !== 0 || !existsSync(debootstrap)) return undefined
  const osRelease = await readFile('/etc/os-release', 'utf8').catch(() => '')
  const release = /^VERSION_CODENAME="?([a-z]+)"?$/m.exec(osRelease)?.[1]
  if (release === undefined || !existsSync(`/usr/share/debootstrap/scripts/${release}`)) return undefined
  const source = readPackageSource(
    release,
    process.env['CLOUDER_PACKAGE_TARGETS'] ?? (await listPackageTargets()),
  )
  const content = [release, source.mirror, ...source.lines, dpkgOptions].join('\n')
  return {
    contentHash: createHash('sha256').update(content).digest('hex').slice(0, 12),
    make: async (abortSignal, use) => {
      const folder = await mkdtemp(join(tmpdir(), 'clouder-package-base-'))
      try {
        await use(createReadStream(await makeArchive(source, folder, abortSignal)))
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/**
 * What this machine's packages are fetched from, a line each. It takes a processor for most of a second: who starts many
 * processes asks once, and tells them by CLOUDER_PACKAGE_TARGETS.
 */
export async function listPackageTargets(): Promise<string> {
  const format = '$(REPO_URI) $(RELEASE) $(COMPONENT)'
  const args = ['indextargets', '--format', format, 'Created-By: Packages']
  const { stdout } = await promisify(execFile)('apt-get', args).catch(() => ({ stdout: '' }))
  return stdout
}

/**
 * What of a machine's package sources goes into a base: the distribution's own, in its release, its updates and its fixes. Others,
 * such as those of a vendor, have other components.
 * @param targets a line each: address, suite, component
 */
export function readPackageSource(release: string, targets: string): PackageSource {
  const suites = new Set([release, `${release}-updates`, `${release}-security`])
  const own = [...new Set(targets.split('\n'))]
    .map((line) => line.split(' '))
    .filter(([uri = '', suite = '', component = '']) => {
      return /^https?:/.test(uri) && suites.has(suite) && ['main', 'universe'].includes(component)
    })
  const [mirror = ''] = own.find(([, suite]) => suite === release) ?? []
  return { release, mirror, lines: mirror === '' ? [] : own.map((target) => `deb ${target.join(' ')}`) }
}

/** In a mount namespace of its own: what debootstrap mounts goes with it, however it ends. */
async function makeArchive(
  { release, mirror, lines }: PackageSource,
  folder: string,
  abortSignal: AbortSignal,
): Promise<string> {
  const root = join(folder, 'root')
  const archive = join(folder, 'root.tar')
  await mkdir(join(root, 'etc/dpkg/dpkg.cfg.d'), { recursive: true })
  await writeFile(join(root, 'etc/dpkg/dpkg.cfg.d/clouder'), dpkgOptions)
  const options = ['--variant=minbase', '--include=ca-certificates']
  const make = [debootstrap, ...options, release, root, ...(mirror === '' ? [] : [mirror])]
  await runToEnd(['unshare', '--mount', ...make], abortSignal)
  if (lines.length > 0) await writeFile(join(root, 'etc/apt/sources.list'), `${lines.join('\n')}\n`)
  await rm(join(root, 'var/cache/apt/archives'), { recursive: true, force: true })
  await runToEnd(['tar', '--directory', root, '--create', '--file', archive, '.'], abortSignal)
  return archive
}
