import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { chmodSync, chownSync, copyFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test, { type TestContext } from 'node:test'
import pg from 'pg'
import { openBounded } from '#docker/metrics/bounded-connection.ts'
import { askMysql } from '#docker/metrics/external-mysql.ts'
import { askPostgresql } from '#docker/metrics/external-postgresql.ts'
import type { MetricDefinition, MetricSource } from '#domain/application.ts'
import { CONTAINER_CEILING } from '#domain/build-plan.ts'
import type { ReachedDataSource } from '#domain/data-source.ts'
import { makeAuthority } from '#test/support/certificates.ts'
import { createEmptyDatabase } from '#test/support/database.ts'
import { countAnswer, searchAnswer, startFakeElasticsearch } from '#test/support/fake-elasticsearch.ts'
import { until } from '#test/support/installation.ts'
import { startOwnMysql, type OwnMysqlTls } from '#test/support/own-mysql.ts'
import { startOwnPostgres } from '#test/support/own-postgres.ts'
import { context, dockerRunner, standIn } from './support.ts'

const base = {
  code: 'warehouse',
  kind: 'postgresql',
  host: 'db.example.com',
  port: 5432,
  database: 'shop',
  username: 'reader',
  hasTls: false,
  certificateAuthority: null,
  address: '127.0.0.1',
  password: 'secret-word',
} as const satisfies ReachedDataSource

const instance = {
  installation: 'ins_1',
  customer: 'cus_1',
  subscription: 'sub_1',
  instance: 'inst_1',
  application: 'shop',
  generation: 1,
  environmentPrefix: 'acme',
  name: 'shop',
  hostPort: null,
  ceiling: CONTAINER_CEILING,
}

/** One look at an instance with these metrics, by their codes: what was read, and what was told of those that were not. */
async function look(sources: Readonly<Record<string, MetricSource>>, reached: readonly ReachedDataSource[]) {
  const metrics = Object.entries(sources).map(([code, source]): MetricDefinition => ({
    code,
    title: code,
    unit: 'piece',
    kind: 'gauge',
    aggregation: 'max',
    source,
  }))
  const { readings, failures } = await dockerRunner().readMetrics(
    { definition: { ...standIn, metrics }, instance },
    context(),
    undefined,
    undefined,
    new Map(reached.map((one) => [one.code, one])),
  )
  return {
    values: Object.fromEntries(readings.map(({ metric, value }) => [metric, value])),
    series: new Set(readings.map(({ series }) => series)),
    failures: Object.fromEntries(failures.map(({ metric, code, detail }) => [metric, `${code}: ${detail}`])),
  }
}

const sqlOf = (query: string, more: object = {}): MetricSource => ({
  type: 'external-sql',
  data_source: 'warehouse',
  query,
  ...more,
})

/** A table of orders in a PostgreSQL of the test run, and a role that may read it, and write to it if it were let. */
async function startShop(t: TestContext): Promise<ReachedDataSource> {
  const { url, drop } = await createEmptyDatabase()
  const { hostname, port, pathname, username, password } = new URL(url)
  t.after(drop)
  const client = new pg.Client(url)
  await client.connect()
  await client.query('create table orders (tenant text, amount numeric)')
  await client.query(
    "insert into orders values ('inst_1', 10.125), ('inst_1', 2), ('inst_2', 40), ('inst_2; --', 7)",
  )
  await client.end()
  return {
    ...base,
    host: hostname,
    port: Number(port),
    database: pathname.slice(1),
    username,
    password: decodeURIComponent(password),
  }
}

test('D-03 a query in a PostgreSQL elsewhere gives the one value of its instance, may only read, and fails alone', async (t) => {
  const shop = await startShop(t)
  const { values, series, failures } = await look(
    {
      own: sqlOf('select count(*) from orders where tenant = $1;', { parameters: ['instance'] }),
      sum: sqlOf("select sum(amount), 'more' from orders -- all of it"),
      with: sqlOf('with all_of as (select * from orders) select 1.5e3::float8 from all_of limit 1'),
      share: sqlOf('select 0.00001::numeric / 3'),
      nothing: sqlOf('select amount from orders where false'),
      empty: sqlOf('select null::int'),
      several: sqlOf('select amount from orders'),
      negative: sqlOf('select -1'),
      text: sqlOf("select repeat('9', 1000000) || 'x'"),
      writing: sqlOf('with gone as (delete from orders returning 1) select count(*) from gone'),
      function: sqlOf("select set_config('transaction_read_only', 'off', false)"),
      two: sqlOf('select 1) as asked (value); drop table orders; select 1 from (select 1'),
      wrong: sqlOf('select missing from orders'),
    },
    [shop],
  )
  assert.deepEqual(values, { own: '2', sum: '59.125', with: '1500', share: '0.00000333333333333333' })
  assert.deepEqual(series, new Set(['external:warehouse']))
  const told = {
    nothing: /^reading_without_value: /,
    empty: /^reading_without_value: /,
    several: /several rows/,
    negative: /-1 is no number from 0/,
    text: /no number from 0: "9{60}"/,
    writing: /data-modifying/,
    function: /transaction read-write mode/,
    two: /multiple commands/,
    wrong: /column "missing" does not exist/,
  }
  assert.deepEqual(Object.keys(failures), Object.keys(told))
  for (const [metric, reason] of Object.entries(told)) assert.match(failures[metric] ?? '', reason)
})

test('what takes too long in a PostgreSQL elsewhere is ended there, and what cannot be reached says why without its password', async (t) => {
  const shop = await startShop(t)
  const slow = { query: 'select pg_sleep(60)::text', parameters: [], timeoutMs: 2_500 }
  await assert.rejects(askPostgresql(shop, slow, new AbortController().signal), /statement timeout/)
  const wrong = { ...shop, username: 'nobody', password: 'not-the-password' }
  const { failures } = await look({ one: sqlOf('select 1') }, [wrong])
  assert.match(failures['one'] ?? '', /nobody/)
  assert.doesNotMatch(failures['one'] ?? '', /not-the-password/)
  const gone = await look({ one: sqlOf('select 1') }, [{ ...shop, port: 1 }])
  assert.match(gone.failures['one'] ?? '', /ECONNREFUSED/)
  const unknown = await look({ one: sqlOf('select 1') }, [{ ...shop, code: 'other' }])
  assert.match(unknown.failures['one'] ?? '', /^data_source_unknown: /)
  const kind = await look({ one: sqlOf('select 1') }, [{ ...shop, kind: 'elasticsearch' }])
  assert.match(kind.failures['one'] ?? '', /^data_source_unknown: .* of another kind/)
})

/** The same table in a MariaDB of the test's own, with a user that may read it and write to it if it were let. */
async function startMysqlShop(t: TestContext, tls?: OwnMysqlTls) {
  const server = await startOwnMysql(tls)
  t.after(async () => server.remove())
  await server.run(
    "create user reader@'%' identified by 'secret-word'",
    "grant all on shop.* to reader@'%'",
    'create table shop.orders (tenant varchar(40), amount decimal(30,3), at bigint)',
    "insert into shop.orders values ('inst_1', 10.125, 9007199254740993), ('inst_1', 2, 1), ('inst_2', 40, 1), ('inst_2; --', 7, 1)",
    'create table shop.figures (f float, d double, exact_value decimal(50,20), huge decimal(65,0), at datetime, on_it bit(1), note json)',
    "insert into shop.figures values (10.1, 0.1, 123456789012345678901234567890.12345678901234567891, 1e40, '2026-03-01', 1, '7')",
    'create procedure shop.take() begin delete from orders; select 1; end',
  )
  const shop: ReachedDataSource = { ...base, kind: 'mysql', port: server.port }
  const rows = async () => (await look({ rows: sqlOf('select count(*) from orders') }, [shop])).values['rows']
  return { server, shop, rows }
}

test('D-03 a query in a MariaDB elsewhere gives the one value of its instance, may only read, and fails alone', async (t) => {
  const { shop, rows } = await startMysqlShop(t)
  const { values, series, failures } = await look(
    {
      own: sqlOf('select count(*) from orders where tenant = ?;', { parameters: ['instance'] }),
      sum: sqlOf("select sum(amount), 'more' from orders -- all of it"),
      with: sqlOf('with all_of as (select * from orders) select 1.5e3 from all_of limit 1'),
      large: sqlOf('select max(at) from orders'),
      unsigned: sqlOf('select 18446744073709551615'),
      decimals: sqlOf('select exact_value from figures'),
      double: sqlOf('select d from figures'),
      float: sqlOf('select f from figures'),
      tiny: sqlOf('select 2.5e-7'),
      share: sqlOf('select f / 3e7 from figures'),
      tiniest: sqlOf('select 4e-300'),
      written: sqlOf("select ' 1.5e3 '"),
      zero: sqlOf('select 0'),
      nothing: sqlOf('select amount from orders where false'),
      empty: sqlOf('select null'),
      several: sqlOf('select amount from orders'),
      negative: sqlOf('select -1'),
      huge: sqlOf('select huge from figures'),
      date: sqlOf('select at from figures'),
      bits: sqlOf('select on_it from figures'),
      writing: sqlOf('delete from orders'),
      calling: sqlOf('call take()'),
      table: sqlOf('create table more (one int)'),
      lasting: sqlOf('set global max_connections = 1'),
      file: sqlOf("load data local infile '/etc/hostname' into table orders"),
      two: sqlOf('select 1; drop table orders'),
      text: sqlOf("select repeat('9', 4000000)"),
      wrong: sqlOf('select missing from orders'),
    },
    [shop],
  )
  assert.deepEqual(values, {
    own: '2',
    sum: '59.125',
    with: '1500',
    large: '9007199254740993',
    unsigned: '18446744073709551615',
    decimals: '123456789012345678901234567890.12345678901234567891',
    double: '0.1',
    float: '10.1',
    tiny: '0.00000025',
    share: '0.00000033666667938232',
    tiniest: '0',
    written: '1500',
    zero: '0',
  })
  assert.deepEqual(series, new Set(['external:warehouse']))
  const told = {
    nothing: /^reading_without_value: /,
    empty: /^reading_without_value: /,
    several: /several rows/,
    negative: /no number from 0/,
    huge: /larger than a reading can be/,
    date: /no number from 0/,
    bits: /no rows of numbers or texts/,
    writing: /READ ONLY transaction/,
    calling: /READ ONLY transaction/,
    table: /READ ONLY transaction|command denied/,
    lasting: /Access denied/,
    file: /not supported|READ ONLY transaction|prepared statement protocol/,
    two: /error in your SQL syntax/,
    text: /answer is larger than|no number from 0: "9{60}"/,
    wrong: /Unknown column 'missing'/,
  }
  assert.deepEqual(Object.keys(failures), Object.keys(told))
  for (const [metric, reason] of Object.entries(told)) assert.match(failures[metric] ?? '', reason)
  assert.equal(await rows(), '4')
})

test('what takes too long in a MariaDB elsewhere is ended there, and what cannot be reached says why without its password', async (t) => {
  const { server, shop } = await startMysqlShop(t)
  const slow = { query: 'select sleep(60)', parameters: [], timeoutMs: 2_500 }
  await assert.rejects(askMysql(shop, slow, new AbortController().signal), /max_statement_time/)
  const wrong = await look({ one: sqlOf('select 1') }, [{ ...shop, password: 'not-the-password' }])
  assert.match(wrong.failures['one'] ?? '', /Access denied for user 'reader'/)
  assert.doesNotMatch(wrong.failures['one'] ?? '', /not-the-password/)
  const absent = await look({ one: sqlOf('select 1') }, [{ ...shop, database: 'nowhere' }])
  assert.match(absent.failures['one'] ?? '', /nowhere/)
  server.kill()
  const gone = await until('it is gone', async () => {
    const { failures } = await look({ one: sqlOf('select 1') }, [shop])
    return failures['one'] ?? false
  })
  assert.match(gone, /ECONNREFUSED|closed|ECONNRESET/)
})

/** A PostgreSQL that speaks TLS with the certificate, for `localhost` and 127.0.0.1. */
async function startPostgresqlWithTls(t: TestContext, { ca, certificate, key }: OwnMysqlTls) {
  const own = await startOwnPostgres()
  t.after(async () => own.remove())
  const client = new pg.Client(own.url)
  await client.connect()
  const folder = (await client.query<{ data: string }>("select current_setting('data_directory') as data"))
    .rows[0]?.data
  const { uid, gid } = statSync(folder ?? '')
  const ownKey = path.join(folder ?? '', 'own.key')
  copyFileSync(key, ownKey)
  chmodSync(ownKey, 0o600)
  if (process.getuid?.() === 0) chownSync(ownKey, uid, gid)
  for (const [name, file] of [
    ['ssl_ca_file', ca],
    ['ssl_cert_file', certificate],
    ['ssl_key_file', ownKey],
  ])
    await client.query(`alter system set ${name} = '${file}'`)
  await client.query('alter system set ssl = on')
  await client.query('select pg_reload_conf()')
  await client.end()
  const { port, pathname, username, password } = new URL(own.url)
  const shop = { port: Number(port), database: pathname.slice(1), username, password }
  return { ...base, ...shop, kind: 'postgresql' } satisfies ReachedDataSource
}

test('D-03 by TLS a PostgreSQL and a MariaDB have to show a certificate of the name that the operator gave, before a password is sent', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'clouder-authority-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o755)
  makeAuthority(folder)
  makeAuthority(path.join(folder, 'other'))
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  const of = (name: string) => path.join(folder, name)
  const files = { ca: of('ca.pem'), certificate: of('engine.pem'), key: of('engine.key') }
  const mysql = await startMysqlShop(t, files)
  await mysql.server.run("alter user reader@'%' require ssl")
  const { shop: plainMysql } = await startMysqlShop(t)
  const plainPostgresql = await startShop(t)
  const sources = [
    { secure: mysql.shop, plain: plainMysql, encrypted: "select variable_value <> '' from information_schema.session_status where variable_name = 'ssl_cipher'" },
    { secure: await startPostgresqlWithTls(t, files), plain: plainPostgresql, encrypted: 'select ssl::int from pg_stat_ssl where pid = pg_backend_pid()' },
  ] // prettier-ignore
  for (const { secure, plain, encrypted } of sources) {
    const one = async (change: Partial<ReachedDataSource>, source: ReachedDataSource = secure) => {
      const certificateAuthority = read('ca.pem')
      const asked = { ...source, hasTls: true, certificateAuthority, host: 'localhost', ...change }
      const { values, failures } = await look({ one: sqlOf(encrypted) }, [asked])
      return values['one'] ?? failures['one'] ?? ''
    }
    assert.equal(await one({}), '1', secure.kind)
    assert.equal(await one({ host: '127.0.0.1' }), '1', secure.kind)
    for (const host of ['db.example.com', '127.0.0.2', '::1'])
      assert.match(await one({ host }), /Hostname\/IP does not match/, `${secure.kind} as ${host}`)
    assert.match(await one({ certificateAuthority: null }), /self-signed|unable to/, secure.kind)
    const others = readFileSync(of('other/ca.pem'), 'utf8')
    assert.match(await one({ certificateAuthority: others }), /certificate/, secure.kind)
    assert.match(await one({}, plain), /not support (SSL|secure) connection/, secure.kind)
    const open = await one({ hasTls: false, certificateAuthority: null })
    assert.match(open, secure.kind === 'mysql' ? /Access denied/ : /^0$/)
  }
})

const search = (more: object = {}): MetricSource => ({
  type: 'elasticsearch',
  data_source: 'warehouse',
  index: 'orders-*',
  query: { bool: { filter: [{ term: { tenant: '{instance}' } }, { term: { note: '{instance} {name}' } }] } },
  ...more,
})

test('D-03 an Elasticsearch elsewhere counts documents and adds up a field; what only a part of it counted is no value', async (t) => {
  const answers = [
    (res: { end: (text: string) => void }) => res.end(countAnswer(1_207)),
    (res: { end: (text: string) => void }) => res.end(searchAnswer(1.25e3)),
    (res: { end: (text: string) => void }) => res.end(searchAnswer(null)),
    (res: { end: (text: string) => void }) => res.end(searchAnswer(3, true)),
    (res: { end: (text: string) => void }) => res.end(countAnswer(3, 1)),
    (res: { end: (text: string) => void }) => res.end('x'.repeat(1_100_000)),
    (res: { end: (text: string) => void }) => {
      Object.assign(res, { statusCode: 302 })
      res.end('elsewhere')
    },
  ]
  const server = await startFakeElasticsearch((_asked, res) => answers[server.asked.length - 1]?.(res))
  t.after(async () => server.close())
  const source: ReachedDataSource = { ...base, kind: 'elasticsearch', database: null, port: server.port }
  const sum = { aggregation: { kind: 'sum', field: 'amount' } }
  const one = async (more: object = {}) => await look({ one: search(more) }, [source])
  assert.equal((await one()).values['one'], '1207')
  assert.equal((await one(sum)).values['one'], '1250')
  for (const [more, reason] of [
    [sum, /^reading_without_value: /],
    [sum, /part of the shards/],
    [{}, /part of the shards/],
    [{}, /larger than 1048576 bytes/],
    [{}, /answered 302/],
  ] as const)
    assert.match((await one(more)).failures['one'] ?? '', reason)
  const [count, added] = server.asked
  assert.equal(count?.path, '/orders-*/_count')
  assert.equal(count?.host, `db.example.com:${server.port}`)
  assert.equal(count?.authorization, `Basic ${Buffer.from('reader:secret-word').toString('base64')}`)
  const filter = [{ term: { tenant: 'inst_1' } }, { term: { note: '{instance} {name}' } }]
  assert.deepEqual(count?.body, { query: { bool: { filter } } })
  assert.equal(added?.path, '/orders-*/_search?allow_partial_search_results=false')
  assert.partialDeepStrictEqual(added?.body, {
    size: 0,
    aggs: { value: { sum: { field: 'amount' } } },
  })
})

test('by TLS a data source has to have a certificate of the name that the operator gave, from whom he trusts', async (t) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'clouder-authority-'))
  makeAuthority(folder)
  const read = (name: string) => readFileSync(path.join(folder, name), 'utf8')
  const tls = { key: read('engine.key'), cert: read('engine.pem') }
  const server = await startFakeElasticsearch((_asked, res) => void res.end(countAnswer(5)), tls)
  t.after(async () => server.close())
  const source = { ...base, kind: 'elasticsearch', database: null, port: server.port, hasTls: true } as const
  const certificateAuthority = read('ca.pem')
  const one = async (change: Partial<ReachedDataSource>) =>
    await look({ one: search() }, [{ ...source, certificateAuthority, ...change }])
  assert.equal((await one({ host: 'localhost' })).values['one'], '5')
  assert.equal((await one({ host: '127.0.0.1' })).values['one'], '5')
  assert.match((await one({})).failures['one'] ?? '', /Hostname\/IP does not match|altnames/)
  const untrusted = await one({ host: 'localhost', certificateAuthority: null })
  assert.match(untrusted.failures['one'] ?? '', /certificate/)
})

test('a connection over which more comes than a value needs ends itself, and so does one that is given up', async (t) => {
  const endless = createServer((socket: Socket) => {
    const more = () => {
      while (!socket.destroyed && socket.write(Buffer.alloc(65_536)));
    }
    socket.on('drain', more).on('error', () => undefined)
    more()
  })
  endless.listen(0, '127.0.0.1')
  await once(endless, 'listening')
  t.after(() => endless.close())
  const address = endless.address()
  assert.ok(address !== null && typeof address === 'object')
  const abort = new AbortController()
  const flooded = openBounded({ address: '127.0.0.1', port: address.port }, abort.signal).resume()
  await assert.rejects(once(flooded, 'end'), /larger than 1048576 bytes/)
  const waiting = openBounded({ address: '127.0.0.1', port: address.port }, abort.signal)
  await once(waiting, 'connect')
  const ended = assert.rejects(once(waiting, 'end'), /given up/)
  abort.abort()
  await ended
})
