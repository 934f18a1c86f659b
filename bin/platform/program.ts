import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Program } from '#docker/program-base.ts'
import { ensureTemporalCommand } from './temporal-command.ts'
import { projectFolder } from './tools.ts'

/** This checkout, as images are made of it: what this process runs from and on. */
export const ownProgram: Program = {
  folder: projectFolder,
  findTemporal: async (note) => pathOf(await ensureTemporalCommand(note)),
}

/** A command that was found by its name alone, as a file. */
function pathOf(command: string): string {
  if (command.includes('/')) return command
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const file = join(folder, command)
    try {
      accessSync(file, constants.X_OK)
      return file
    } catch {
      // In the next one.
    }
  }
  throw new Error(`${command} is on no path`)
}
