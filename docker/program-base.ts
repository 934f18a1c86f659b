import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type Docker from 'dockerode'
import { BusinessError, messageOf } from '#domain/errors.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { buildImage, type ContextEntry } from './image-build.ts'
import { findImage } from './image-pull.ts'
import { ensurePackageBase, type PackageArchive } from './package-base.ts'
import { readPackages, runtimePackages } from './program-package.ts'

/** What an installation that is sold is made of: this one's own program, and what it runs on, as the worker's machine has them. */
export interface Program {
  /** The checkout that this process runs from. */
  readonly folder: string
  /** Gets the `temporal` command, where it is not here yet, and says where it is. */
  readonly findTemporal: (note: (text: string) => void) => Promise<string>
}

/** Node is linked against libatomic, which a small Debian lacks. Who runs it may write into its volumes and `/tmp` only. */
const DOCKERFILE = `ARG BASE
FROM \${BASE}
RUN apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends libatomic1 \\
  && rm -rf /var/lib/apt/lists/* /var/cache/apt/*
RUN useradd --uid 1000 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin clouder && chmod 1777 /tmp
COPY temporal /usr/local/bin/temporal
COPY node_modules/ /opt/clouder/node_modules/
RUN ln -s /opt/clouder/node_modules/node/bin/node /usr/local/bin/node
`

/** npm's own list of what it installed. */
const installed = 'node_modules/.package-lock.json'

/** One at a time for each base: two builds that begin together share it. */
const underway = new Map<string, Promise<void>>()

/**
 * The base of images that hold this installation's program: Node, the packages it runs on, with PostgreSQL among them, and
 * Temporal, on a Debian. It changes seldom, so that a change of the program costs a small image. The answer is its reference.
 * @throws `image_unreachable` where a part cannot be had
 */
export async function ensureProgramBase(
  docker: Docker,
  { program, packageArchive }: { program: Program | undefined; packageArchive: PackageArchive | undefined },
  ctx: RunnerContext,
): Promise<string> {
  if (program === undefined)
    throw new BusinessError('image_unreachable', 'this worker has no program of its own')
  const base = await ensurePackageBase(docker, packageArchive, ctx)
  const temporal = await findTemporal(program, ctx)
  const lock = await readFile(join(program.folder, 'package-lock.json'), 'utf8')
  const parts = [
    DOCKERFILE,
    base,
    lock,
    installed,
    process.version,
    process.arch,
    String((await stat(temporal)).size),
  ]
  const hash = createHash('sha256').update(parts.join('\0')).digest('hex').slice(0, 12)
  const reference = `clouder/program-base:${hash}`
  if ((await findImage(docker, reference, ctx)) !== undefined) return reference
  const build = {
    reference,
    files: entriesOf(program, { temporal, lock }),
    buildArguments: { BASE: base },
    labels: { 'io.clouder.managed': 'true' },
    hasNetwork: true,
  }
  ctx.onProgress('making a base of Node, PostgreSQL and Temporal; usually under a minute')
  const making = underway.get(reference) ?? buildImage(docker, build, ctx)
  underway.set(reference, making)
  try {
    await making
  } finally {
    underway.delete(reference)
  }
  return reference
}

async function findTemporal(program: Program, ctx: RunnerContext): Promise<string> {
  try {
    return await program.findTemporal(ctx.onProgress)
  } catch (error) {
    throw new BusinessError('image_unreachable', `Temporal cannot be had: ${messageOf(error)}`, {
      cause: error,
    })
  }
}

async function* entriesOf(
  { folder }: Program,
  { temporal, lock }: { temporal: string; lock: string },
): AsyncGenerator<ContextEntry> {
  yield { path: 'Dockerfile', mode: 0o644, content: Buffer.from(DOCKERFILE) }
  yield { path: 'temporal', mode: 0o755, content: await readFile(temporal) }
  // By which the doctor knows that what is there is what was locked.
  yield { path: installed, mode: 0o644, content: await readFile(join(folder, installed)) }
  yield* readPackages(folder, runtimePackages(lock))
}
