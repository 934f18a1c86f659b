import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What may happen to one message on its way. `lost`: its answer, after it was taken. `doubled`: it comes twice at once, and the sender
 * hears of the one that was refused. `late`: not at all, but again once others have come. `struck`: something is done to who receives it.
 */
const troubles = ['none', 'shut', 'lost', 'slow', 'doubled', 'late', 'struck'] as const
type Trouble = (typeof troubles)[number]

/** What holds for one connection, not for what goes through it. */
const ofConnection = new Set(['connection', 'content-length', 'host', 'keep-alive', 'transfer-encoding'])

interface Sent {
  readonly path: string
  readonly init: { method: string; headers: Record<string, string>; body: string }
}

export interface WeatherOptions {
  readonly random: () => number
  /** Of messages that something happens to. */
  readonly share: number
  readonly forward: (path: string, init: Sent['init']) => Promise<Response>
  /** While a message is on its way; left out, nothing strikes. */
  readonly strike?: () => Promise<void>
}

/** Stands before an installation. Until it clears, messages of peers are lost, doubled, delayed and come out of order. */
export function makeWeather({ random, share, forward, strike }: WeatherOptions) {
  const kept: Sent[] = []
  const seen = Object.fromEntries(troubles.map((name) => [name, 0])) as Record<Trouble, number>
  let isClear = false
  const usual = troubles.filter((name) => name !== 'none' && (name !== 'struck' || strike !== undefined))
  const draw = (): Trouble =>
    isClear || random() >= share ? 'none' : (usual[Math.floor(random() * usual.length)] ?? 'none')

  async function pass({ path, init }: Sent): Promise<Response> {
    return await forward(path, init).catch(() => new Response('', { status: 502 }))
  }

  async function suffer(trouble: Trouble, sent: Sent): Promise<Response> {
    if (trouble === 'shut') return new Response('', { status: 503 })
    if (trouble === 'slow') await sleep(random() * 400)
    if (trouble === 'late') {
      kept.push(sent)
      return new Response('', { status: 504 })
    }
    if (trouble === 'doubled') {
      const [first, second] = await Promise.all([pass(sent), pass(sent)])
      return first.ok ? second : first
    }
    const [answer] = await Promise.all([pass(sent), trouble === 'struck' ? strike?.() : undefined])
    return trouble === 'lost' ? new Response('', { status: 502 }) : answer
  }

  return {
    seen,
    async receive(request: Request): Promise<Response> {
      const { pathname: path } = new URL(request.url)
      const headers = Object.fromEntries([...request.headers].filter(([name]) => !ofConnection.has(name)))
      const sent = { path, init: { method: request.method, headers, body: await request.text() } }
      const trouble = path.startsWith('/v1/peer-') ? draw() : 'none'
      seen[trouble] += 1
      const answer = await suffer(trouble, sent)
      // What was held back comes now, behind what was sent after it; nobody waits for its answer.
      const late = kept.at(0)
      if (trouble !== 'late' && late !== undefined && (isClear || random() < 0.5))
        await pass(kept.shift() ?? late)
      return answer
    },
    /** From now on nothing happens any more; what was held back still comes. */
    async clear(): Promise<void> {
      isClear = true
      for (const late of kept.splice(0)) await pass(late)
    },
  }
}
