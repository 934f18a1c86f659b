import { mkdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import type { Command } from 'commander'
import type { ComposeExport } from './answers.ts'
import type { Output } from './output.ts'
import { withSession } from './session.ts'

/** Adds `export` to a group whose things can be taken along as plain compose files. */
export function addExport(group: Command, of: 'instances' | 'applications'): void {
  const command = group
    .command('export <id>')
    .description('as a plain compose file that knows nothing of Clouder: told, or written into a folder')
    .option('--to <folder>', 'write compose.yaml there, and a README that says how to run it')
  if (of === 'instances')
    command.option('--secrets', 'with its secrets in it; else they are left to be given in a file .env')
  command.action(
    withSession<[string], { to?: string; secrets?: true }>(
      async ({ api, out }, { args: [id], options: { to, secrets } }) => {
        const file = await api.get<ComposeExport>(`/v1/${of}/${encodeURIComponent(id)}/export`, {
          secrets: secrets === true ? 'include' : undefined,
        })
        if (out.isJson) return out.json(file)
        if (to === undefined) return tellOnStdout(out, file)
        await writeExport(to, file)
        out.say(`  Written: ${path.join(to, 'compose.yaml')} and README.md`)
      },
    ),
  )
}

function tellOnStdout(out: Output, file: ComposeExport): void {
  out.print(file.compose.trimEnd())
  for (const line of notesOf(file)) out.say(`  ${line}`)
}

/** A folder that whoever gets it can run. What holds secrets is for its owner alone. */
export async function writeExport(
  folder: string,
  file: ComposeExport,
  volumes: readonly string[] = [],
): Promise<void> {
  await mkdir(folder, { recursive: true })
  await writeFile(path.join(folder, 'compose.yaml'), file.compose, { mode: 0o600 })
  await writeFile(path.join(folder, 'README.md'), readmeOf(file, volumes))
}

function notesOf({ variables, local_images: images, linked_to: links }: ComposeExport): string[] {
  return [
    ...(variables.length === 0 ? [] : [`Give a value in a file .env: ${variables.join(', ')}`]),
    ...images.map((image) => `No registry has ${image}: docker save it where it runs, docker load it there.`),
    ...links.map(({ name, offer }) => `It is linked to ${offer} as ${name}: export that, too.`),
  ]
}

/** How to run what was exported, and how its volumes come back where their archives lie beside. */
function readmeOf(file: ComposeExport, volumes: readonly string[]): string {
  const notes = notesOf(file).map((note) => `- ${note}\n`)
  // A name of its own: by default it is that of the folder, and nobody knows what that will be.
  const project = file.application
  const extract = 'busybox tar -x -f /from.tar -C /to --strip-components=1'
  const restores = volumes.map(
    (volume) =>
      `    docker run --rm -v ${project}_${volume}:/to -v "$PWD/${volume}.tar:/from.tar:ro" ${extract}\n`,
  )
  return [
    `# ${file.application}\n\n`,
    `A plain compose file. It runs with Docker Compose 2.23 or later:\n\n    docker compose -p ${project} up --detach\n`,
    ...(notes.length === 0 ? [] : ['\nBefore that:\n\n', ...notes]),
    ...(volumes.length === 0
      ? []
      : ['\nThe data is put into its volumes before the first start:\n\n', ...restores]),
  ].join('')
}
