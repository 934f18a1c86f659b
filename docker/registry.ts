import { connectEngine } from './engine.ts'

const answerWithinMs = 8_000

/** Whether the engine can ask the registry of an image about it: decides between public images and stand-ins. */
export async function isImageReachable(dockerHost: string | undefined, reference: string): Promise<boolean> {
  const asked = connectEngine(dockerHost)
    .getImage(reference)
    .distribution()
    .then(
      () => true,
      () => false,
    )
  const tooLate = new Promise<boolean>((resolve) => {
    setTimeout(() => resolve(false), answerWithinMs).unref()
  })
  return await Promise.race([asked, tooLate])
}
