import { join } from 'node:path'
import { findPackageArchive } from '#bin/platform/package-archive.ts'
import { ownProgram } from '#bin/platform/program.ts'
import { projectFolder } from '#bin/platform/tools.ts'
import { readApplication } from '#docker/applications.ts'
import { connectEngine } from '#docker/engine.ts'
import { createDockerRunner } from '#docker/runner.ts'
import { messageOf } from '#domain/errors.ts'

// Builds the image of the application `clouder` as an order would, and gives it a name that does not change: for `docker compose up`
// in applications/clouder, and for a registry of yours.

const name = 'clouder/clouder'
const buildsWithinMs = 20 * 60_000

async function build(): Promise<string> {
  const applicationsFolder = join(projectFolder, 'applications')
  const definition = await readApplication(applicationsFolder, 'clouder')
  const runner = createDockerRunner({
    applicationsFolder,
    busyboxPath: '',
    packageArchive: await findPackageArchive(),
    program: ownProgram,
  })
  // All its services run of one.
  const [service] = definition.services
  if (service === undefined) throw new Error('the application has no services')
  const { image } = service
  const labels = { 'io.clouder.managed': 'true' }
  const of = { name: image.reference, title: image.reference, application: definition.code, labels, image }
  const ctx = { abortSignal: AbortSignal.timeout(buildsWithinMs), onProgress: tell, secrets: {} }
  tell((await runner.ensure({ kind: 'image', ...of }, ctx)).detail)
  await connectEngine().getImage(image.reference).tag({ repo: name, tag: 'latest' })
  return image.reference
}

/** Of what the engine says, the lines that a person follows. */
function tell(text: string): void {
  const line = text.trim()
  if (line !== '' && !line.startsWith('--->')) console.log(`  ${line}`)
}

try {
  const reference = await build()
  console.log(
    `\n  ${reference} is ${name}:latest too. Push it where you like: docker tag ${name} registry.example.com/clouder`,
  )
} catch (error) {
  console.error(`\n  It was not built: ${messageOf(error)}`)
  process.exitCode = 1
}
