import assert from 'node:assert/strict'
import type Docker from 'dockerode'
import type { Diary } from './customer-diary.ts'
import { listObjects, until, type Json, type TestInstallation } from './installation.ts'
import { sellApplication, standInImage } from './sold-application.ts'

/** Of its limit no more is asked of it than to keep it. */
const usersLimit =
  '{ code: users, title: Users, service: web, set: ["sh", "-c", "echo $0 > /data/users.limit", "{value}"], read: ["cat", "/data/users.limit"], use: ["echo", "0"] }'

/** Applications of a test's own whose containers hold data, and what is seen and done in them. */
export function createDataKeeper(installation: TestInstallation, diary: Diary) {
  async function containersOf(subscription: string) {
    const { docker, containers } = await listObjects(installation.installationId)
    const own = containers.filter((found) => found.Labels['io.clouder.subscription'] === subscription)
    return own.map((found) => docker.getContainer(found.Id))
  }

  return {
    containersOf,

    /** It is healthy unless it holds a file `broken`; where users are sold, it keeps how many there may be in `users.limit`. */
    async sell(code: string, rule: string, users?: string): Promise<string> {
      // It keeps what is written under /data.
      const image = await standInImage(installation)
      const check = '{ test: ["CMD", "test", "!", "-f", "/data/broken"], interval: 1s, retries: 1 }'
      const service = `{ image: "${image}", healthcheck: ${check}, expose: ["8080"], user: "0:0", volumes: ["data:/data"], environment: { PASSWORD: "$\{PASSWORD}" } }`
      const block = `{ title: ${code}, public: { service: web, port: 8080 }, ready: { path: /, timeout_s: 8 }, secrets: [{ name: PASSWORD, length: 20 }], backup: ${rule}${users === undefined ? '' : `, limits: [${usersLimit}]`} }`
      const compose = `services: { web: ${service} }\nvolumes: { data: {} }\nx-clouder: ${block}\n`
      const sold = users === undefined ? {} : { limit: 'users', quantity: users }
      const subscription = await sellApplication(installation, diary, { code, compose }, sold)
      await diary.untilPhase(subscription, 'active')
      return subscription
    },

    /** What a line of shell says in the container. */
    async run(subscription: string, line: string): Promise<string> {
      const [container] = await containersOf(subscription)
      assert.ok(container)
      return await runIn(container, line)
    },

    async cancel(subscription: string): Promise<void> {
      await diary.post(`/v1/subscriptions/${subscription}/cancel`, { when: 'now', reason: 'moves on' })
    },

    /** How the newest restore in place ended. */
    async untilRestored(subscription: string, withinMs?: number): Promise<Json> {
      const look = async () => {
        const [newest] = await diary.list(`/v1/restores?subscription=${subscription}`)
        return newest !== undefined && newest['state'] !== 'running' && newest
      }
      return await until('the restore has ended', look, withinMs)
    },

    async untilEnded(subscription: string, withinMs?: number): Promise<void> {
      const isEnded = async () => (await diary.subscription(subscription))['phase'] === 'ended'
      await until('ended', isEnded, withinMs)
    },
  }
}

/** What a line of shell says in the container, as the user of its image unless another one is named. */
export async function runIn(container: Docker.Container, line: string, user?: string): Promise<string> {
  const execution = await container.exec({
    Cmd: ['/bin/sh', '-c', line],
    ...(user === undefined ? {} : { User: user }),
    AttachStdout: true,
    Tty: true,
  })
  const stream = await execution.start({ Tty: true })
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(Buffer.from(part as Uint8Array))
  return Buffer.concat(parts).toString('utf8').trim()
}
