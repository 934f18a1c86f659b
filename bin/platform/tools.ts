import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { delimiter, dirname, join, resolve } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

export const projectFolder = resolve(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** What a process of ours is given before its own file. */
export const loaderFlags: readonly string[] = [
  '--import',
  pathToFileURL(join(projectFolder, 'bin', 'platform', 'loader.mjs')).href,
]

/** The environment in which the project's own tools and its own Node come first. */
function toolEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const tools = join(projectFolder, 'node_modules', '.bin')
  return { ...env, PATH: `${tools}${delimiter}${env['PATH'] ?? ''}` }
}

/** Runs in the foreground, with our terminal, from the project's folder. */
export function runTool(command: string, args: string[], env: NodeJS.ProcessEnv = {}): ChildProcess {
  return spawn(command, args, { cwd: projectFolder, stdio: 'inherit', env: { ...toolEnv(), ...env } })
}

/** The exit code; a process that was ended by a signal, or never started, counts as failed. */
export function exitCodeOf(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(1))
    child.once('exit', (code) => resolve(code ?? 1))
  })
}

/** Beside others: what it says is handed over when it has ended. */
export async function runToolQuietly(
  command: string,
  args: string[],
  extraEnv: NodeJS.ProcessEnv = {},
): Promise<{ code: number; output: string }> {
  const env = { ...toolEnv(), ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...extraEnv }
  const child = spawn(command, args, { cwd: projectFolder, stdio: ['ignore', 'pipe', 'pipe'], env })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk
    })
  }
  return await new Promise((resolve) => {
    child.once('error', (error) => resolve({ code: 1, output: `${error.message}\n` }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}
