import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import test, { after } from 'node:test'
import { callPeer } from '#activities/peer-post.ts'
import type { OutboundLimits } from '#activities/outbound.ts'

const open: (() => Promise<void>)[] = []
after(async () => {
  await Promise.all(open.map(async (close) => close()))
})

async function call(url: string, limits: Partial<OutboundLimits> = {}) {
  return await callPeer(
    { url: `${url}/v1/peer-messages`, headers: {}, body: '{}' },
    {
      rule: { isOnLoopback: true, allowed: [] },
      abortSignal: AbortSignal.timeout(60_000),
      largestAnswerBytes: 1_000,
      ...limits,
    },
  )
}

/** Listens on the loopback, and does with a connection what it is told to. */
async function listen(onConnection: (socket: Socket) => void) {
  const sockets: Socket[] = []
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => undefined))
    onConnection(socket)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  const close = async () => {
    if (!server.listening) return
    const closed = once(server.close(), 'close')
    for (const socket of sockets) socket.destroy()
    await closed
  }
  open.push(close)
  return { port: address.port, close }
}

test('that another installation is not reached is said in words, with what the system said behind them', async () => {
  const gone = await listen(() => undefined)
  await gone.close()
  const url = `http://127.0.0.1:${gone.port}`
  await assert.rejects(call(url), {
    message: `${url} is not reached: nobody listens there (connect ECONNREFUSED 127.0.0.1:${gone.port})`,
  })
  const unknown = Object.assign(new Error('getaddrinfo ENOTFOUND nobody.test'), { code: 'ENOTFOUND' })
  await assert.rejects(call('https://nobody.test', { resolve: (_name, answer) => answer(unknown, []) }), {
    message: 'https://nobody.test is not reached: its name is not found (getaddrinfo ENOTFOUND nobody.test)',
  })
})

test('one that takes a connection and does not answer, breaks it off or speaks no TLS is told apart', async () => {
  const silent = await listen(() => undefined)
  await assert.rejects(
    call(`http://127.0.0.1:${silent.port}`, { abortSignal: AbortSignal.timeout(200) }),
    /is not reached: no answer came in time \(/,
  )
  const broken = await listen((socket) => socket.destroy())
  await assert.rejects(call(`http://127.0.0.1:${broken.port}`), /it broke the connection off \(/)
  const plain = await listen((socket) => socket.end('HTTP/1.1 400 No\r\n\r\n'))
  await assert.rejects(call(`https://127.0.0.1:${plain.port}`), /it speaks no TLS that is understood here \(/)
})

test('a call that was cancelled is no installation that is not reached', async () => {
  const reason = new Error('cancelled')
  await assert.rejects(call('http://127.0.0.1:1', { abortSignal: AbortSignal.abort(reason) }), {
    name: 'AbortError',
  })
})
