import { globSync, statSync } from 'node:fs'
import { join, relative } from 'node:path'
import { projectFolder } from './tools.ts'

/** The test files under the given files and folders, or all of them; paths from the project's folder. */
export function findTestFiles(selection: string[]): string[] {
  const wanted = selection.length === 0 ? ['test'] : selection
  const files = wanted.flatMap((path) => {
    const full = join(projectFolder, path)
    const isFolder = statSync(full, { throwIfNoEntry: false })?.isDirectory() ?? false
    return isFolder ? globSync('**/*.test.{ts,tsx}', { cwd: full }).map((name) => join(full, name)) : [full]
  })
  return [...new Set(files.map((file) => relative(projectFolder, file)))].sort()
}
