import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { projectFolder } from '#bin/platform/tools.ts'

const packageSchema = z.object({ version: z.string() })

export function readVersion(): string {
  return packageSchema.parse(JSON.parse(readFileSync(join(projectFolder, 'package.json'), 'utf8'))).version
}
