import type Docker from 'dockerode'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import { BusinessError } from '#domain/errors.ts'
import type { Labels } from '#domain/build-plan.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call, diskFull } from './engine.ts'
import type { FolderFile } from './folder.ts'
import { failureIn, followEvents } from './image-events.ts'

const BUILD_DEADLINE_MS = 10 * 60_000
const BUILD_MEMORY_BYTES = 512 * 1024 * 1024

export interface ImageBuild {
  readonly reference: string
  /** With a `Dockerfile` among them. */
  readonly files: readonly FolderFile[]
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
  // No times: the same files give the same layers.
  const mtime = new Date(0)
  for (const { path, mode, content } of build.files) context.entry({ name: path, mode, mtime }, content)
  context.finalize()
  return Readable.from(context)
}
