import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import test, { after } from 'node:test'
import { gzipSync } from 'node:zlib'
import { postOutbound, type OutboundLimits, type Resolve } from '#activities/outbound.ts'

const servers: Server[] = []
after(() => {
  for (const server of servers) {
    server.closeAllConnections()
    server.close()
  }
})

/** @returns its port on the loopback */
async function listen(answer: RequestListener): Promise<number> {
  const server = createServer(answer)
  servers.push(server)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(address !== null && typeof address === 'object')
  return address.port
}

const here = { isOnLoopback: true, allowed: [] }
const strict = { isOnLoopback: false, allowed: [] }

async function post(url: string, limits: Partial<OutboundLimits> = {}) {
  const call = { url, headers: { 'content-type': 'application/json' }, body: '{}' }
  const { status, text } = await postOutbound(call, {
    rule: here,
    abortSignal: AbortSignal.timeout(20_000),
    largestAnswerBytes: 1_000,
    ...limits,
  })
  return { status, text }
}

/** Answers with one list after the other, and counts. */
function resolving(...lists: string[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  const resolve: Resolve = (hostname, answer) => {
    asked.push(hostname)
    const addresses = lists[asked.length - 1] ?? []
    answer(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )
  }
  return { resolve, asked }
}

test('what is posted arrives whole, under the name that was asked for, at the address that was checked', async () => {
  let seen: unknown[] = []
  const port = await listen((req, res) => {
    seen = [
      req.method,
      req.url,
      req.headers.host,
      req.headers['content-length'],
      req.headers['accept-encoding'],
    ]
    res.writeHead(201).end('taken')
  })
  const { resolve, asked } = resolving(['127.0.0.1'], ['10.0.0.1'])
  const answer = await post(`http://peer.test:${port}/v1/x`, { resolve })
  assert.deepEqual([answer.status, answer.text], [201, 'taken'])
  assert.deepEqual(seen, ['POST', '/v1/x', `peer.test:${port}`, '2', 'identity'])
  // Who answers another address the next time is not asked a next time.
  assert.deepEqual(asked, ['peer.test'])
})

test('nobody is spoken to at an address that is refused, whichever of the answers it is', async () => {
  let calls = 0
  const port = await listen((_req, res) => {
    calls += 1
    res.end()
  })
  for (const list of [
    ['127.0.0.1'],
    ['1.1.1.1', '127.0.0.1'],
    ['127.0.0.1', '1.1.1.1'],
    ['::ffff:127.0.0.1'],
  ]) {
    const { resolve } = resolving(list)
    await assert.rejects(post(`http://peer.test:${port}`, { rule: strict, resolve }), {
      code: 'peer_url_refused',
    })
  }
  for (const host of ['127.0.0.1', '2130706433', '[::1]', '[::ffff:7f00:1]', 'localhost'])
    await assert.rejects(post(`http://${host}:${port}`, { rule: strict }), { code: 'peer_url_refused' }, host)
  // Some resolvers know it, others do not.
  await assert.rejects(post(`http://localhost.:${port}`, { rule: strict }))
  assert.equal(calls, 0)
})

test('a name without an address is an error that is tried again', async () => {
  const { resolve } = resolving([])
  await assert.rejects(post('http://peer.test:1', { resolve }), /peer\.test has no address/)
})

test('a redirect is an answer like others, and leads nowhere', async () => {
  let calls = 0
  const elsewhere = await listen((_req, res) => {
    calls += 1
    res.end()
  })
  const port = await listen((_req, res) => {
    res.writeHead(307, { location: `http://127.0.0.1:${elsewhere}/` }).end('moved')
  })
  const { status, text } = await post(`http://127.0.0.1:${port}`)
  assert.deepEqual([status, text], [307, 'moved'])
  assert.equal(calls, 0)
})

test('an answer without an end is left once it is too long', async () => {
  const left = Promise.withResolvers<void>()
  const port = await listen((_req, res) => {
    const writing = setInterval(() => res.write('x'.repeat(600)), 1)
    res.on('close', () => {
      clearInterval(writing)
      left.resolve()
    })
  })
  await assert.rejects(post(`http://127.0.0.1:${port}`), /more than 1000 bytes/)
  await left.promise
})

test('a compressed answer stays as small as it came', async () => {
  const bomb = gzipSync(Buffer.alloc(100_000))
  assert.ok(bomb.length < 1_000)
  const port = await listen((_req, res) => {
    res.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb)
  })
  const { text } = await post(`http://127.0.0.1:${port}`)
  assert.ok(text.length < 1_000)
})

test('an answer that comes too slowly is left, before its head and within its body', async () => {
  for (const isBegun of [false, true]) {
    const port = await listen((_req, res) => {
      if (isBegun) res.write('begun')
    })
    await assert.rejects(post(`http://127.0.0.1:${port}`, { abortSignal: AbortSignal.timeout(150) }))
  }
})

test('beside the loopback a port that nobody listed is not spoken to, by a name or by an address', async () => {
  const { resolve, asked } = resolving(['10.20.0.1'], ['10.20.0.1'])
  const rule = { isOnLoopback: true, allowed: ['10.20.0.0/16'], ports: [9443] }
  for (const url of ['https://peer.test:8443', 'http://peer.test', 'https://10.20.0.1:8443'])
    await assert.rejects(post(url, { rule, resolve }), { code: 'peer_url_refused' }, url)
  assert.deepEqual(asked, ['peer.test', 'peer.test'])
})
