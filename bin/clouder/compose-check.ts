import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { readBeside, readText } from '#docker/applications.ts'
import { checkApplication, type CheckedFile, type ComposeFile } from '#docker/compose/application.ts'
import { describeFinding } from '#docker/compose/finding.ts'
import { exitCodes, type ExitCode } from './exit-code.ts'
import type { Output } from './output.ts'

/** Says of each file whether it is accepted, and what stands against it; with warnings where one is not. */
export async function checkFiles(
  out: Output,
  files: readonly string[],
  grants: readonly string[],
): Promise<ExitCode> {
  const checked: { file: string; result: CheckedFile }[] = []
  for (const file of files) checked.push({ file, result: await checkFile(file, grants) })
  if (out.isJson) out.json(checked.map(({ file, result }) => toJson(file, result)))
  else showChecked(out, checked)
  return checked.every(({ result }) => result.status === 'accepted') ? exitCodes.ok : exitCodes.warnings
}

/** A file that cannot be read is refused like one that cannot be understood: the others are checked all the same. */
async function checkFile(path: string, grants: readonly string[]): Promise<CheckedFile> {
  try {
    return checkApplication(await composeFile(path), grants)
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error
    const reason = `the file cannot be read: ${error.message}`
    const remedy = 'name a compose file, and see that it can be read'
    const finding = { path: [], kind: 'refused' as const, reason, remedy, permission: null, line: undefined }
    return { status: 'refused', findings: [finding], definition: null }
  }
}

/** A file called `compose.yaml` is the application that its folder is; any other one is called by its own name. */
export async function composeFile(path: string): Promise<ComposeFile> {
  const root = dirname(resolve(path))
  const name = basename(path).replace(/\.ya?ml$/i, '')
  const isFolder = /^(?:docker-)?compose$/i.test(name)
  const code = (isFolder ? basename(root) : name)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-|-$/g, '')
  const text = await readFile(path, 'utf8')
  const folder = isFolder
    ? await readBeside(root)
    : { folders: {}, textOf: (at: string) => readText(root, at) }
  return { code: code || 'application', text, folder }
}

function toJson(file: string, { status, findings }: CheckedFile) {
  const told = findings.map(({ path, line, kind, reason, remedy, permission }) => ({
    kind,
    key: path.join('.'),
    line: line ?? null,
    reason,
    remedy,
    permission,
  }))
  return {
    file,
    status,
    reasons: told.filter((one) => one.kind !== 'replaced'),
    replaced: told.filter((one) => one.kind === 'replaced'),
  }
}

function showChecked(out: Output, checked: readonly { file: string; result: CheckedFile }[]): void {
  out.table(
    ['file', 'status', 'reasons'],
    checked.map(({ file, result }) => [file, result.status.replace('_', ' '), summary(result)]),
  )
  const [only] = checked
  if (only !== undefined && checked.length === 1)
    for (const finding of only.result.findings) out.say(`- ${describeFinding(finding, finding.line)}`)
  const count = (status: CheckedFile['status']) =>
    checked.filter(({ result }) => result.status === status).length
  out.say(
    `${count('accepted')} accepted, ${count('needs_permission')} need permissions, ${count('refused')} refused`,
  )
}

/** What stands against it, shortly: permissions by name, refusals by key and reason. */
function summary({ findings }: CheckedFile): string {
  const permissions = findings.flatMap((one) => one.permission ?? [])
  const refused = findings
    .filter((one) => one.kind === 'refused')
    .map(
      (one) =>
        `${one.path.join('.') || 'file'}${one.line === undefined ? '' : ` (line ${one.line})`}: ${one.reason}`,
    )
  return [...new Set([...refused, ...permissions])].join('; ')
}

/** A compose file as it is sent, with the files beside it that it reads. */
export async function readSent(path: string, code: string | undefined, grants: readonly string[]) {
  const file = await composeFile(path)
  const files: Record<string, string> = {}
  const textOf = (at: string): string | undefined => {
    const text = file.folder?.textOf(at)
    if (text !== undefined) files[at] = text
    return text
  }
  // What it reads is known once it is read; whether it is accepted is for the server to say.
  checkApplication({ ...file, folder: { folders: {}, textOf } }, grants)
  return { code: code ?? file.code, compose: file.text, files }
}
