import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable, Writable } from 'node:stream'
import { runCommand } from '#bin/clouder/run.ts'
import type { Shell } from '#bin/clouder/shell.ts'
import { projectFolder } from '#bin/platform/tools.ts'
import { seedStory } from '#test/pages/story.ts'
import { serveTestConsole } from '#test/pages/console.ts'

export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** The API on a port with the demo catalog on a database of its own, and the command line. */
export async function createClouder() {
  const served = await serveTestConsole()
  await seedStory(served.db, 'dry-run')
  // Nothing is stored in it: address and key come from the variables, and no other installation is found.
  const folder = mkdtempSync(join(tmpdir(), 'clouder-cli-'))
  const env = { CLOUDER_API_URL: served.url, CLOUDER_API_KEY: served.key, CLOUDER_DATA: folder }
  return {
    ...served,
    folder,
    run: async (args: string[], more: NodeJS.ProcessEnv = {}) => await runClouder(args, { ...env, ...more }),
    /** As a process, which costs far more: where its exit code, its streams or a signal are what is asked. */
    start: (args: string[], more: NodeJS.ProcessEnv = {}) => startClouder(args, { ...env, ...more }),
    /** As a person's terminal would, with what is typed into it. */
    runOnTerminal: async (args: string[], typed: string, more: NodeJS.ProcessEnv = {}) =>
      await runOnTerminal(args, typed, { ...env, ...more }),
    async close() {
      rmSync(folder, { recursive: true, force: true })
      await served.close()
    },
  }
}
export type Clouder = Awaited<ReturnType<typeof createClouder>>

/** In this process, in a shell of its own that no person sits at. */
export async function runClouder(args: string[], env: NodeJS.ProcessEnv): Promise<Ran> {
  const [stdout, stderr] = [collectText(), collectText()]
  const shell: Shell = {
    env: { ...bareEnvironment(), ...env },
    stdin: Readable.from([]),
    stdout: stdout.stream,
    stderr: stderr.stream,
    on: () => {},
  }
  await runCommand(shell, args)
  return { code: Number(shell.exitCode ?? 0), stdout: stdout.text(), stderr: stderr.text() }
}

function collectText() {
  const chunks: Buffer[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(chunk)
      done()
    },
  })
  return { stream, text: () => Buffer.concat(chunks).toString() }
}

export interface Started {
  readonly child: ChildProcess
  readonly ended: Promise<Ran>
  /** Waits until stderr has said it. */
  said(text: string): Promise<void>
}

/** Through the first stage, as `npx clouder` starts it. */
function startClouder(args: string[], env: NodeJS.ProcessEnv): Started {
  const child = spawn(process.execPath, [join(projectFolder, 'bin/clouder.mjs'), ...args], {
    env: { ...bareEnvironment(), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return collect(child)
}

function collect(child: ChildProcess): Started {
  const told = { stdout: '', stderr: '' }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream]?.setEncoding('utf8').on('data', (chunk: string) => {
      told[stream] += chunk
    })
  }
  const ended = once(child, 'close').then(() => ({ code: child.exitCode, ...told }))
  return {
    child,
    ended,
    async said(text) {
      while (!told.stderr.includes(text)) {
        if (child.exitCode !== null) throw new Error(`it ended without saying ${text}: ${told.stderr}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
  }
}

async function runOnTerminal(args: string[], typed: string, env: NodeJS.ProcessEnv): Promise<Ran> {
  const command = [process.execPath, join(projectFolder, 'bin/clouder.mjs'), ...args]
    .map((word) => `'${word}'`)
    .join(' ')
  // `script` gives the process a terminal; it is part of every Debian.
  const child = spawn('script', ['-qec', command, '/dev/null'], {
    env: { ...bareEnvironment(), TERM: 'xterm', ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdout.on('data', (chunk: Buffer) => {
    if (typed !== '' && chunk.toString().includes('[y/N]')) child.stdin.write(typed)
  })
  return await collect(child).ended
}

/** Nothing of the shell that runs the tests leads the command line to another installation. */
function bareEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME } = process.env
  return { PATH, HOME, TZ: 'UTC' }
}
