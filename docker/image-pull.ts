import type Docker from 'dockerode'
import { BusinessError } from '#domain/errors.ts'
import { registryOf, type RegistryLogin } from '#domain/registry.ts'
import type { RunnerContext } from '#domain/runner.ts'
import { call, EngineError, find } from './engine.ts'
import { failureIn, followEvents } from './image-events.ts'

const PULL_DEADLINE_MS = 30 * 60_000

export async function findImage(docker: Docker, reference: string, ctx: RunnerContext) {
  return await find(ctx, `look for image ${reference}`, () => docker.getImage(reference).inspect())
}

/** @throws `image_unknown`, `image_unreachable`, `registry_login_failed`; a failing network is an `Error` and worth a retry. */
export async function pullImage(docker: Docker, reference: string, ctx: RunnerContext): Promise<void> {
  ctx.onProgress(`pulling image ${reference}`)
  try {
    await call(
      ctx,
      `pull image ${reference}`,
      async (abortSignal) => {
        const stream = await docker.pull(reference, { ...authentication(ctx.registryLogin), abortSignal })
        const failure = failureIn(await followEvents(docker, stream, ctx))
        if (failure !== undefined) throw new Error(failure)
      },
      PULL_DEADLINE_MS,
    )
  } catch (error) {
    throw pullError(reference, error, ctx.registryLogin)
  }
}

function authentication(login: RegistryLogin | undefined) {
  if (login === undefined) return {}
  const { host, username, password } = login
  return { authconfig: { username, password, serveraddress: host } }
}

const NAME_LOOKUP_FAILED =
  /\blookup [^ ]+.*(no such host|server misbehaving|i\/o timeout|refused|unreachable)/i
const NOT_THERE =
  /pull access denied|repository does not exist|manifest unknown|manifest for .* not found|no matching manifest|invalid reference format|name unknown|denied: requested access/i

const LOGIN_REFUSED =
  /unauthorized|no basic auth credentials|incorrect username or password|authentication required/i

/** What a registry says about an image, told apart from a network that fails. */
function pullError(reference: string, error: unknown, login: RegistryLogin | undefined): unknown {
  if (!(error instanceof EngineError)) return error
  if (LOGIN_REFUSED.test(error.message)) return loginFailed(reference, login)
  if (NAME_LOOKUP_FAILED.test(error.message)) {
    const detail =
      `image ${reference} is not on the server and no registry is reachable: the registry's name cannot be looked up. ` +
      `Connect the server to a registry, or load the image, then retry (${error.message})`
    return new BusinessError('image_unreachable', detail, { cause: error })
  }
  if (NOT_THERE.test(error.message)) {
    const detail = `no registry has image ${reference} for us: check its name and tag, and whether it is public (${error.message})`
    return new BusinessError('image_unknown', detail, { cause: error })
  }
  return error
}

/** Nothing of what the registry answered is told: it may repeat what it was given. */
function loginFailed(reference: string, login: RegistryLogin | undefined): BusinessError {
  const host = registryOf(reference)
  const found =
    login === undefined
      ? `registry ${host} asks for a login before it gives image ${reference}, and none is known`
      : `registry ${host} refused the login of ${login.username} for image ${reference}`
  const detail = `${found}. Give the right one: npx clouder registries add ${host} --user NAME, then retry`
  return new BusinessError('registry_login_failed', detail)
}
