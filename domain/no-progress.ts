/** A step that has told of no progress for too long. It is ended, and tried again: no refusal, what it waits for may come back. */
export class NoProgress extends Error {
  readonly code = 'no_progress'

  constructor(what: string, silentMs: number) {
    super(`${what}: no progress for ${Math.round(silentMs / 1_000)} s, so it was ended and is tried again`)
    this.name = 'NoProgress'
  }
}
