import test, { before } from 'node:test'

let failed: string | undefined

/** A test that tells on from the one before it: once one has failed, the rest of the story fails at once and says so. */
export function chapter(name: string, tell: () => Promise<void>): void {
  // Another file may have told its story in this process before.
  before(() => (failed = undefined))
  void test(name, async () => {
    if (failed !== undefined) throw new Error(`the story broke off at: ${failed}`)
    failed = name
    await tell()
    failed = undefined
  })
}
