import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import test from 'node:test'
import { createTemplateDatabase } from '#bin/platform/template-database.ts'
import { migrate } from '#db/migrate.ts'

/** `R`: who connects is who it says; `Z`: it may ask. As PostgreSQL's protocol 3.0 has it. */
const welcome = Buffer.concat([
  Buffer.from('R'),
  Buffer.from([0, 0, 0, 8, 0, 0, 0, 0]),
  Buffer.from('Z'),
  Buffer.from([0, 0, 0, 5]),
  Buffer.from('I'),
])

test('a database server that is stopped while it is asked fails what was asked, and ends no process', async (t) => {
  const server = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.once('data', () => {
      socket.write(welcome)
      socket.once('data', () => socket.destroy())
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const url = `postgres://postgres:test@127.0.0.1:${port}/postgres?sslmode=disable`
  await assert.rejects(createTemplateDatabase(url), /Connection terminated unexpectedly/)
  await assert.rejects(migrate(url))
})
