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
