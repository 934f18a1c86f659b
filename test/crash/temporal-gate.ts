import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'

/**
 * - `silent`: takes every connection and never answers;
 * - `deaf`: passes everything on until a workflow's start went by, and no answer from then on.
 */
export type GateMode = 'silent' | 'deaf'

/** Stands between a process and Temporal, where a test wants an answer to get lost. */
export async function openTemporalGate(address: string, mode: GateMode) {
  const [host = '', port = ''] = address.split(':')
  const sockets = new Set<Socket>()
  const keep = (socket: Socket) => {
    sockets.add(socket)
    // A killed process resets its connections.
    socket.on('error', () => {})
  }
  const server = createServer((client) => {
    keep(client)
    if (mode === 'silent') return
    const temporal = connect(Number(port), host)
    keep(temporal)
    passUntilStart(client, temporal)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const own = server.address()
  if (own === null || typeof own === 'string') throw new Error('the gate has no port')
  return {
    address: `127.0.0.1:${own.port}`,
    async close() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

/** A start is known by the workflow's id, which stands in the request as plain text; method names are compressed. */
function passUntilStart(client: Socket, temporal: Socket): void {
  let isAnswered = true
  let said = ''
  client.on('data', (bytes) => {
    said += bytes.toString('latin1')
    if (said.includes('subscription/sub_')) isAnswered = false
    temporal.write(bytes)
  })
  temporal.on('data', (bytes) => {
    if (isAnswered) client.write(bytes)
  })
}
