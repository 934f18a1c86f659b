import type Docker from 'dockerode'
import { Readable } from 'node:stream'
import { pack, type Pack } from 'tar-stream'
import { BusinessError } from '#domain/errors.ts'
import type { Labels } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call, diskFull } from './engine.ts'
import type { FolderFile } from './folder.ts'
import { failureIn, followEvents } from './image-events.ts'

const BUILD_DEADLINE_MS = 10 * 60_000
const BUILD_MEMORY_BYTES = 512 * 1024 * 1024

/** A file of a build, or a link to another one beside it. */
export type ContextEntry = FolderFile | { readonly path: string; readonly link: string }

export interface ImageBuild {
  readonly reference: string
  /** With a `Dockerfile` among them. Many are read one after the other, as they are sent. */
  readonly files: readonly FolderFile[] | AsyncIterable<ContextEntry>
  readonly buildArguments?: Readonly<Record<string, string>>
  readonly labels: Labels
  /** It installs packages from a mirror; left out, a build reaches nothing. */
  readonly hasNetwork?: boolean
}

/** Builds by the engine's own builder, without network unless it is asked for. @throws `image_unknown` when the build itself fails. */
export async function buildImage(docker: Docker, build: ImageBuild, ctx: RunnerContext): Promise<void> {
  const failure = await call(
    ctx,
    `build image ${build.reference}`,
    async (abortSignal) => {
      const stream = await docker.buildImage(contextOf(build), {
        t: build.reference,
        buildargs: { ...build.buildArguments },
        labels: { ...build.labels },
        networkmode: build.hasNetwork === true ? 'bridge' : 'none',
        memory: BUILD_MEMORY_BYTES,
        memswap: BUILD_MEMORY_BYTES,
        forcerm: true,
        abortSignal,
      })
      return failureIn(await followEvents(docker, stream, ctx))
    },
    BUILD_DEADLINE_MS,
  )
  if (failure !== undefined) {
    throw (
      diskFull(failure) ??
      new BusinessError('image_unknown', `image ${build.reference} could not be built: ${failure}`)
    )
  }
}

function contextOf(build: ImageBuild): NodeJS.ReadableStream {
  const context = pack()
  send(build, context).catch((error: unknown) =>
    context.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  return Readable.from(context)
}

async function send({ files }: ImageBuild, context: Pack): Promise<void> {
  // No times: the same files give the same layers.
  const mtime = new Date(0)
  for await (const entry of files) {
    await new Promise<void>((resolve, reject) => {
      const taken = (error?: Error | null) => (error ? reject(error) : resolve())
      if ('link' in entry)
        context.entry({ name: entry.path, type: 'symlink', linkname: entry.link, mtime }, taken)
      else context.entry({ name: entry.path, mode: entry.mode, mtime }, entry.content, taken)
    })
  }
  context.finalize()
}
