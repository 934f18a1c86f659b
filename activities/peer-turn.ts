import { ApplicationFailure, Context } from '@temporalio/activity'
import { readWaitingMessages } from '#db/peer-outgoing.ts'
import { fallAsleep } from '#db/peer-queue.ts'
import { endRefusals } from '#db/peer-refusal.ts'
import { noteSilence } from '#db/peer-silence.ts'
import { readPeerStanding } from '#db/peer.ts'
import { BusinessError, messageOf } from '#domain/errors.ts'
import { tellsWhatItHas } from '#domain/peer-message.ts'
import { adviseOn } from '#domain/peer-refusal.ts'
import type { PeerDependencies } from './dependencies.ts'
import { createPeerDelivery, type Delivering } from './peer-delivery.ts'
import { layOutFiles } from './peer-files.ts'
import { PassingRefusal } from './peer-post.ts'
import { createPeerRecall } from './peer-recall.ts'

const messagesAtOnce = 100
/** Then the workflow is told how far it is, and goes on. */
const longestTurnMs = 60_000

/** What one turn of sending came to. */
export interface Turn {
  readonly sent: number
  /** Nothing waits any more; the next message tells its workflow. */
  readonly isEmpty: boolean
}

type Read = Omit<Delivering, 'peerId'>

/** How far a turn is. */
interface Progress {
  sent: number
  /** Until it is known here what was taken last. */
  noted: Promise<void>
}

/**
 * Sends what waits for a peer, in order, a hundred at a time. While one hundred is on its way, the next is read; it goes out once the
 * one before it was taken, while that is noted.
 */
export function createPeerTurn(deps: PeerDependencies): (peerId: string) => Promise<Turn> {
  const { db } = deps
  const deliver = createPeerDelivery(deps)
  const recall = createPeerRecall(deps)
  return async (peerId) => {
    const endMs = Date.now() + longestTurnMs
    const progress: Progress = { sent: 0, noted: Promise.resolve() }
    try {
      return await sendAll(peerId, endMs, progress)
    } catch (error) {
      // The turn that got somewhere is over; the next one tries at once, not as late as one that never did; but when the
      // other side has said when to come again.
      const isWaitedFor = error instanceof BusinessError || error instanceof ApplicationFailure
      if (progress.sent > 0 && !isWaitedFor) return { sent: progress.sent, isEmpty: false }
      throw error
    } finally {
      // What is not noted is sent again, and noted then.
      await progress.noted.catch(() => undefined)
    }
  }

  async function sendAll(peerId: string, endMs: number, progress: Progress): Promise<Turn> {
    let ahead: Read | undefined
    while (Date.now() < endMs) {
      const read = ahead ?? (await readNext(peerId, progress))
      ahead = undefined
      const { sent } = progress
      if (read.waiting.length === 0 && (await fallAsleep(db, peerId))) {
        await endRefusals(db, { peerId, now: new Date().toISOString() })
        return { sent, isEmpty: true }
      }
      if (read.waiting.length === 0) continue
      if (sent === 0 && (await orTell(peerId, isBehind(peerId)))) continue
      ahead = await send({ peerId, ...read }, progress)
      progress.sent += read.waiting.length
      Context.current().heartbeat(`${progress.sent} sent`)
    }
    return { sent: progress.sent, isEmpty: false }
  }

  /** What nobody waits for comes after all that was finalized. */
  async function readNext(peerId: string, { noted }: Progress): Promise<Read> {
    await orTell(peerId, noted)
    const { sentSequence: taken } = await readPeerStanding(db, peerId)
    const waiting = await readWaitingMessages(db, peerId, messagesAtOnce)
    if (waiting.length > 0 || (await layOutFiles(db, peerId)) === 0) return { waiting, taken }
    return { waiting: await readWaitingMessages(db, peerId, messagesAtOnce), taken }
  }

  /**
   * What is behind messages that are on their way. While files are, to a peer that takes what it is sent, those of the next documents are
   * made. Undefined where it has to be looked for anew.
   */
  async function readAhead({ peerId, waiting }: Delivering, isFirst: boolean): Promise<Read | undefined> {
    const taken = waiting.at(-1)?.sequence ?? 0
    const read = async () => await readWaitingMessages(db, peerId, messagesAtOnce, taken)
    let ahead = await read()
    const areFiles = !isFirst && waiting.every(({ kind }) => kind === 'file')
    if (ahead.length === 0 && areFiles && (await layOutFiles(db, peerId)) > 0) ahead = await read()
    return ahead.length === 0 ? undefined : { waiting: ahead, taken }
  }

  /** @returns what follows, which was read meanwhile */
  async function send(of: Delivering, progress: Progress): Promise<Read | undefined> {
    // What fails of it fails again when its turn comes.
    const reading = readAhead(of, progress.sent === 0).catch(() => undefined)
    try {
      const { isChanged, noted } = await orTell(of.peerId, deliver(of))
      await orTell(of.peerId, progress.noted)
      progress.noted = noted
      return isChanged ? undefined : await reading
    } finally {
      await reading
    }
  }

  /** What comes of it; that it fails is told. */
  async function orTell<Result>(peerId: string, work: Promise<Result>): Promise<Result> {
    try {
      return await work
    } catch (error) {
      throw await toTold(peerId, error)
    }
  }

  /** What the activity fails with says in Temporal's UI what waits, since when and why. */
  async function toTold(peerId: string, error: unknown): Promise<Error> {
    if (error instanceof BusinessError) return error
    const now = new Date().toISOString()
    const passing = error instanceof PassingRefusal ? error : undefined
    const advice = passing && adviseOn(passing.refusal, now)
    const said = await noteSilence(db, { peerId, cause: messageOf(error), advice, now })
    if (passing?.retryAfterMs === undefined) return new Error(said, { cause: error })
    return ApplicationFailure.create({ message: said, nextRetryDelay: passing.retryAfterMs })
  }

  /**
   * Numbers that went back, here or there, are noticed before any of them goes out again; while nothing does, nobody is asked.
   * @returns whether the other side has lost what goes before
   */
  async function isBehind(peerId: string): Promise<boolean> {
    const peer = await readPeerStanding(db, peerId)
    if (peer.state !== 'active' || !tellsWhatItHas(peer)) return false
    try {
      return await recall.recallPeer(peerId)
    } catch (error) {
      // What else stands in the way of a question stands in the way of what is sent next, and is told with all that is known of it.
      if (error instanceof BusinessError && error.code === 'peer_halted') throw error
      // Told to wait, we send nothing meanwhile either.
      if (error instanceof PassingRefusal && error.retryAfterMs !== undefined) throw error
      return false
    }
  }
}
