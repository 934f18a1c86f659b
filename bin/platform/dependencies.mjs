// The first stage of every command. It runs on whatever Node the machine has (18 or later), installs what is
// missing, and hands over to the Node the project brings. No dependency may be imported here.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const stampFile = join(root, 'node_modules', '.clouder-stamp')
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP']
const projectNode = join(root, 'node_modules', '.bin', 'node')

/** Makes sure the dependencies are there and runs `bin/<name>.ts` with the same arguments, signals and exit code. */
export async function handOver(name) {
  requireNode18()
  const isQuiet = name === 'clouder'
  const outcome = await ensureDependencies(isQuiet)
  const loader = pathToFileURL(join(root, 'bin', 'platform', 'loader.mjs')).href
  const child = spawn(
    projectNode,
    ['--import', loader, join(root, 'bin', `${name}.ts`), ...process.argv.slice(2)],
    // The channel is never written to. It closes when this process dies, even by SIGKILL, and the child notices.
    {
      stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
      env: {
        ...process.env,
        CLOUDER_DEPENDENCIES: outcome,
      },
    },
  )
  for (const signal of signals) process.on(signal, () => child.kill(signal))
  child.on('error', (error) =>
    fail(`Node of the project does not start: ${error.message}`, 'rm -rf node_modules && npm start'),
  )
  child.on('exit', (code, signal) => {
    process.exit(signal === null ? code : 128 + constants.signals[signal])
  })
}

function requireNode18() {
  const major = Number(process.versions.node.split('.')[0])
  if (major >= 18) return
  fail(
    `This is Node ${process.versions.node}; Clouder needs Node 18 or later to begin with.`,
    'Install a current Node from https://nodejs.org',
  )
}

async function ensureDependencies(isQuiet) {
  const lockFile = join(root, 'package-lock.json')
  const stamp = createHash('sha256').update(readFileSync(lockFile)).digest('hex')
  if (existsSync(projectNode) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp)
    return 'as locked'
  if (existsSync(projectNode) && matchesLock(lockFile)) {
    writeFileSync(stampFile, stamp)
    return 'as locked'
  }
  const startedAt = Date.now()
  await install(isQuiet ? console.error : console.log)
  writeFileSync(stampFile, stamp)
  return `installed in ${Math.round((Date.now() - startedAt) / 1000)} s`
}

/** npm keeps a list of what it installed: somebody who ran `npm ci` or `npm install` need not wait again. */
function matchesLock(lockFile) {
  try {
    const wanted = JSON.parse(readFileSync(lockFile, 'utf8')).packages
    const installed = JSON.parse(
      readFileSync(join(root, 'node_modules', '.package-lock.json'), 'utf8'),
    ).packages
    return Object.entries(wanted).every(([path, entry]) => {
      if (path === '' || (entry.optional && installed[path] === undefined)) return true
      return installed[path] !== undefined && installed[path].version === entry.version
    })
  } catch {
    return false
  }
}

async function install(write) {
  if (spawnSync('npm', ['--version']).status !== 0) {
    fail(
      'npm is not there, and the dependencies are not installed.',
      'Install npm; it comes with Node from https://nodejs.org',
    )
  }
  write('  Installing dependencies and Node 26 with npm ci; usually 1 to 2 minutes …')
  const startedAt = Date.now()
  const ticker = setInterval(() => {
    write(`        … still installing (${Math.round((Date.now() - startedAt) / 1000)} s)`)
  }, 15_000)
  const { code, output } = await runNpmCi()
  clearInterval(ticker)
  if (code === 0 && existsSync(projectNode)) return
  const tail = output.trim().split('\n').slice(-12).join('\n')
  fail(
    `npm ci did not succeed:\n\n${tail}\n`,
    'npm ci   # then the same command again; is the network there, the disk not full?',
  )
}

function runNpmCi() {
  return new Promise((resolve) => {
    const args = [
      'ci',
      '--include=dev',
      '--ignore-scripts=false',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
    ]
    const npm = spawn('npm', args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] })
    // An installation that was asked to stop must not go on behind the next one.
    for (const signal of signals) process.once(signal, () => npm.kill(signal))
    let output = ''
    const collect = (chunk) => {
      output += chunk
    }
    npm.stdout.on('data', collect)
    npm.stderr.on('data', collect)
    npm.on('error', (error) => resolve({ code: 1, output: error.message }))
    npm.on('close', (code) => resolve({ code, output }))
  })
}

function fail(found, command) {
  console.error(`\n  found        ${found}\n  what helps   ${command}\n`)
  process.exit(1)
}
