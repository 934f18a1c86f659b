import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import Docker from 'dockerode'
import { freePort } from '#bin/platform/ports.ts'
import { until } from './installation.ts'

/** Whom the registry knows. The second line is the bcrypt of the password, which is all that the registry reads. */
export const registryLogin = { username: 'acme', password: 'right horse battery' }
const knownUsers = 'acme:$2b$04$abcdefghijklmnopqrstuugpem9db8BmOOimdPZ8Ka.zII76VOR2y\n'

/** A real registry on the loopback, which engines talk to without TLS; it gives nothing without a login. */
export async function startRegistry() {
  const program = process.env['CLOUDER_TEST_REGISTRY']
  if (!program) throw new Error('there is no docker-registry here: install the package of that name')
  const folder = await mkdtemp(path.join(tmpdir(), 'clouder-registry-'))
  const port = await freePort()
  const host = `127.0.0.1:${port}`
  await writeFile(path.join(folder, 'users'), knownUsers)
  await writeFile(path.join(folder, 'config.yml'), configuration(folder, host))
  const child = spawn(program, ['serve', path.join(folder, 'config.yml')], { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const answers = async () => (await fetch(`http://${host}/v2/`)).status === 401
  await until('the registry answers', async () => answers().catch(() => false), 20_000)
  return {
    host,
    push: async (image: string, reference: string): Promise<string> => await push(host, image, reference),
    /** What the registry has under a digest is gone for ever. */
    async forget(name: string, digest: string): Promise<void> {
      const headers = { authorization: `Basic ${btoa(Object.values(registryLogin).join(':'))}` }
      const url = `http://${host}/v2/${name}/manifests/${digest}`
      const { status } = await fetch(url, { method: 'DELETE', headers })
      if (status !== 202) throw new Error(`the registry did not delete ${digest}: ${status}`)
    },
    async stop(): Promise<void> {
      child.kill('SIGTERM')
      await ended
      await rm(folder, { recursive: true, force: true })
    },
  }
}

export type TestRegistry = Awaited<ReturnType<typeof startRegistry>>

function configuration(folder: string, host: string): string {
  return `
version: 0.1
log: { level: error }
storage:
  filesystem: { rootdirectory: ${folder}/data }
  delete: { enabled: true }
http: { addr: "${host}" }
auth:
  htpasswd: { realm: test, path: ${folder}/users }
`
}

/** Gives an image of the engine to the registry under a name and a tag; the answer is its digest there. */
async function push(host: string, image: string, reference: string): Promise<string> {
  const docker = new Docker()
  const [repo = '', tag = 'latest'] = reference.split(':')
  await docker.getImage(image).tag({ repo: `${host}/${repo}`, tag })
  const pushed = docker.getImage(`${host}/${repo}:${tag}`)
  const stream = await pushed.push({ authconfig: { ...registryLogin, serveraddress: host } })
  const events = await new Promise<unknown[]>((resolve, reject) => {
    docker.modem.followProgress(stream, (error: Error | null, all: unknown[]) =>
      error ? reject(error) : resolve(all),
    )
  })
  const { RepoDigests: digests } = await pushed.inspect()
  await pushed.remove({ noprune: true })
  const digest = digests?.find((one) => one.startsWith(`${host}/${repo}@`))
  if (digest === undefined) throw new Error(`not pushed: ${JSON.stringify(events.at(-1))}`)
  return digest.slice(digest.indexOf('@') + 1)
}
