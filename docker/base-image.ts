import { readFile } from 'node:fs/promises'
import type Docker from 'dockerode'
import type { RunnerContext } from '#domain/runner.ts'
import { type FolderFile, hashFiles } from './folder.ts'
import { findImage, pullImage } from './image-pull.ts'
import { buildImage } from './image-build.ts'

/** Named by the Dockerfiles of the stand-ins too, so that they build with plain `docker compose up`. */
const PUBLIC_BUSYBOX = 'busybox:1.37'

/** The binary installs its own links, inside the build: no process is started here. */
const DOCKERFILE =
  'FROM scratch\nCOPY root/ /\nENV PATH=/bin\nRUN ["/bin/busybox", "--install", "-s", "/bin"]\n'
const PASSWD = 'root:x:0:0:root:/:/bin/false\napplication:x:1000:1000:application:/:/bin/false\n'
const GROUP = 'root:x:0:\napplication:x:1000:\n'

/**
 * The image that stand-ins are made from: a local static busybox where there is one, so that no registry is needed, else the
 * public image. The answer is its reference.
 */
export async function ensureBase(docker: Docker, busyboxPath: string, ctx: RunnerContext): Promise<string> {
  if (busyboxPath === '') {
    if ((await findImage(docker, PUBLIC_BUSYBOX, ctx)) === undefined)
      await pullImage(docker, PUBLIC_BUSYBOX, ctx)
    return PUBLIC_BUSYBOX
  }
  const files: FolderFile[] = [
    { path: 'Dockerfile', mode: 0o644, content: Buffer.from(DOCKERFILE) },
    { path: 'root/bin/busybox', mode: 0o755, content: await readFile(busyboxPath) },
    { path: 'root/etc/group', mode: 0o644, content: Buffer.from(GROUP) },
    { path: 'root/etc/passwd', mode: 0o644, content: Buffer.from(PASSWD) },
  ]
  const reference = `clouder/demo-base:${hashFiles(files)}`
  if ((await findImage(docker, reference, ctx)) !== undefined) return reference
  ctx.onProgress(`building image ${reference} from ${busyboxPath}`)
  const labels = { 'io.clouder.managed': 'true' }
  await buildImage(docker, { reference, files, labels }, ctx)
  return reference
}
