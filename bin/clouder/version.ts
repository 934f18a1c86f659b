import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectFolder } from '#bin/platform/tools.ts'

export function readVersion(): string {
  const file = readFileSync(join(projectFolder, 'package.json'), 'utf8')
  return (JSON.parse(file) as { version: string }).version
}
