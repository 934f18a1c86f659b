import type Docker from 'dockerode'
import { Readable } from 'node:stream'
import { pack } from 'tar-stream'
import type { ContainerStep } from '#domain/build-plan.ts'
import { interpolate, valuesOf } from '#domain/interpolation.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call } from './engine.ts'

/**
 * Puts the files of the application into the container: before it starts, and again each time the step is carried out, so
 * that they are there after any crash. They are in the container's own layer, and go with it.
 */
export async function putFiles(docker: Docker, step: ContainerStep, ctx: RunnerContext): Promise<void> {
  const files = step.special?.files ?? []
  if (files.length === 0) return
  const archive = pack()
  const mtime = new Date(0)
  for (const { path, content, mode } of files) {
    const name = path.replace(/^\//, '')
    archive.entry({ name, mode, mtime }, interpolate(content, valuesOf(ctx.secrets)))
  }
  archive.finalize()
  await call(ctx, `put ${files.length} file(s) into container ${step.name}`, (abortSignal) =>
    docker.getContainer(step.name).putArchive(Readable.from(archive), { path: '/', abortSignal }),
  )
}
