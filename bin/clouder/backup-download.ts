import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import path from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Command } from 'commander'
import type { Backup, ComposeExport } from './answers.ts'
import { writeExport } from './compose-export.ts'
import { CommandFailure } from './failure.ts'
import { exitCodes } from './exit-code.ts'
import { withSession } from './session.ts'

/** What a customer takes along who leaves: his data, what runs it, and how (F-55). */
export function addDownload(group: Command): void {
  group
    .command('download <backup>')
    .description('its volumes, with a compose file that runs what they belong to, and a README that says how')
    .requiredOption('--to <folder>', 'where they are written')
    .option('--secrets', 'with the secrets that the data knows; else they are left to be given')
    .action(
      withSession<[string], { to: string; secrets?: true }>(
        async ({ api, out }, { args: [id], options: { to, secrets } }) => {
          const address = `/v1/backups/${encodeURIComponent(id)}`
          const backup = await api.get<Backup>(address)
          const query = { secrets: secrets === true ? 'include' : 'omit' }
          const file = await api.get<ComposeExport>(`/v1/instances/${backup.instance}/export`, query)
          const volumes = backup.volumes.map(({ volume }) => volume)
          await writeExport(to, file, volumes)
          for (const { volume, sha256 } of backup.volumes) {
            const content = await api.openFile(`${address}/volumes/${encodeURIComponent(volume)}`)
            const found = await write(path.join(to, `${volume}.tar`), content)
            if (found !== sha256) throw notWhole(volume)
            out.say(`  ${volume}.tar is whole: sha256 ${sha256}`)
          }
          if (out.isJson) return out.json({ backup: backup.id, folder: to, volumes })
          out.say(`  How to run it: ${path.join(to, 'README.md')}`)
        },
      ),
    )
}

function notWhole(volume: string): CommandFailure {
  return new CommandFailure({
    exitCode: exitCodes.failed,
    cause: `${volume}.tar is not what was saved: it was cut or changed on its way.`,
    fix: 'the same again',
  })
}

/** For its owner alone. @returns the SHA-256 of what was written, hexadecimal */
async function write(file: string, content: Readable): Promise<string> {
  const hash = createHash('sha256')
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      done(null, chunk)
    },
  })
  await pipeline(content, hashing, createWriteStream(file, { mode: 0o600 }))
  return hash.digest('hex')
}
