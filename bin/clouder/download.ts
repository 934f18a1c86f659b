import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { messageOf } from '#domain/errors.ts'
import { usageFailure } from './failure.ts'
import type { Session } from './session.ts'

/** Writes what an address of the API gives to a file, under the name that it has there unless another is given. */
export async function writeDownload(
  { api, out }: Session,
  address: string,
  options: { output?: string },
): Promise<void> {
  const { name, content } = await api.download(address)
  const file = path.resolve(options.output ?? path.basename(name))
  await writeFile(file, content).catch((error: unknown) => {
    throw usageFailure(
      `${file} could not be written (${messageOf(error)}).`,
      'name a file in a folder of yours: --output …',
    )
  })
  if (out.isJson) return out.json({ file })
  out.print(file)
}
