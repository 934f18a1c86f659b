import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { createConnection } from 'mysql2/promise'
import { freePort } from '#bin/platform/ports.ts'
import { isAlive, startProcess, stopProcess, tailOf } from '#bin/platform/process.ts'
import { until } from './installation.ts'

/** Files in PEM, of the server. */
export interface OwnMysqlTls {
  readonly ca: string
  readonly certificate: string
  readonly key: string
}

/** A MariaDB server of a test's own on the loopback, with an empty database `shop`. */
export interface OwnMysql {
  readonly port: number
  /** As whoever may do everything, statement by statement. */
  readonly run: (...statements: readonly string[]) => Promise<void>
  /** At once, as when the machine's memory runs out. */
  readonly kill: () => void
  readonly remove: () => Promise<void>
}

/** The tables that every server has of its own, then what is in them, where versions of the package have them. */
const systemTables = '/usr/share/{mysql,mariadb}/{mysql,mariadb}_system_tables{,_data}.sql'

/** @param tls left out: it has none, whatever it would make of itself */
export async function startOwnMysql(tls?: OwnMysqlTls): Promise<OwnMysql> {
  const program = process.env['CLOUDER_TEST_MARIADB']
  if (!program) throw new Error('there is no mariadbd here: install the package mariadb-server-core')
  const folder = mkdtempSync(path.join(tmpdir(), 'clouder-mysql-'))
  const data = [`--datadir=${folder}`, ...asRoot, ...quickButLossy]
  await initialise(program, data)
  const port = await freePort()
  const logFile = `${folder}.log`
  const server = startProcess({
    command: program,
    args: ['--no-defaults', ...data, ...listening(folder, port), ...tlsOptions(tls)],
    logFile,
  })
  const pid = server.pid ?? 0
  const run = async (...statements: readonly string[]) => await runAsRoot(port, statements)
  await until(
    async () => await Promise.resolve(`MariaDB answers: ${tailOf(logFile)}`),
    async () => {
      if (!isAlive(pid)) throw new Error(`MariaDB ended: ${tailOf(logFile)}`)
      return await run('create database if not exists shop').then(
        () => true,
        () => false,
      )
    },
  )
  return {
    port,
    run,
    kill: () => void process.kill(pid, 'SIGKILL'),
    async remove() {
      await stopProcess(pid, 'SIGTERM', 30_000)
      rmSync(folder, { recursive: true, force: true })
      rmSync(logFile, { force: true })
    },
  }
}

/** It would not be root unless it is told to. */
const asRoot = process.getuid?.() === 0 ? ['--user=root'] : []

/** No database of a test outlives it. */
const quickButLossy = [
  '--innodb-log-file-size=4M',
  '--innodb-buffer-pool-size=16M',
  '--innodb-flush-log-at-trx-commit=0',
  '--innodb-flush-method=nosync',
  '--skip-log-bin',
]

const listening = (folder: string, port: number) => [
  '--bind-address=127.0.0.1',
  '--skip-name-resolve',
  `--port=${port}`,
  `--socket=${path.join(folder, 'mysql.sock')}`,
  `--pid-file=${path.join(folder, 'mysql.pid')}`,
]

const tlsOptions = (tls?: OwnMysqlTls) =>
  tls === undefined
    ? ['--skip-ssl']
    : [`--ssl-ca=${tls.ca}`, `--ssl-cert=${tls.certificate}`, `--ssl-key=${tls.key}`]

/** What `mariadb-install-db` does, without the helpers that it needs of another package. */
async function initialise(program: string, data: readonly string[]): Promise<void> {
  const child = spawn(program, ['--no-defaults', '--bootstrap', ...data], {
    stdio: ['pipe', 'ignore', 'pipe'],
  })
  const tables = globSync(systemTables)
    .toSorted()
    .map((file) => readFileSync(file, 'utf8'))
  child.stdin.end(['create database mysql;', 'use mysql;', ...tables].join('\n'))
  const [said, [exitCode]] = await Promise.all([text(child.stderr), once(child, 'exit')])
  if (exitCode !== 0) throw new Error(`MariaDB made no database: ${said}`)
}

/** Who is in every new server, and has no password there. */
async function runAsRoot(port: number, statements: readonly string[]): Promise<void> {
  const connection = await createConnection({
    stream: connect(port, '127.0.0.1'),
    host: '127.0.0.1',
    user: 'root',
    password: '',
    database: '',
    connectTimeout: 20_000,
    disableEval: true,
    supportBigNumbers: true,
    bigNumberStrings: true,
    dateStrings: true,
    rowsAsArray: true,
  })
  try {
    for (const statement of statements) await connection.query(statement)
  } finally {
    connection.destroy()
  }
}
