import {
  condition,
  continueAsNew,
  defineSignal,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow'
import type { DatabaseActivities } from '#activities/index.ts'
import type { Turn } from '#activities/peer-turn.ts'
import { peerSignals } from '#domain/peer-message.ts'
import type { PeerInput } from './contract.ts'
import { database, heartbeatTimeout } from './activities.ts'
import { toRefusal } from './failure.ts'

/** As long as it takes: a peer that is away for days costs a look every five minutes. */
const patient = proxyActivities<DatabaseActivities>({
  startToCloseTimeout: '3 m',
  heartbeatTimeout,
  retry: { initialInterval: '1 s', backoffCoefficient: 2, maximumInterval: '5 m' },
})

/**
 * The trust with another installation, as long as it lives: what waits for it is sent, in order, until it has taken it. Why something
 * waits is what the activity failed with last.
 */
export async function peer(input: PeerInput): Promise<void> {
  const { peerId } = input
  const told = { isAwake: true, isResumed: false, isClosed: false }
  setHandler(defineSignal(peerSignals.messagesWait), () => {
    told.isAwake = true
  })
  setHandler(defineSignal(peerSignals.resumed), () => {
    told.isResumed = true
  })
  setHandler(defineSignal(peerSignals.closed), () => {
    told.isClosed = true
  })
  let sent = input.sent ?? 0
  if (input.isAccepting) {
    await patient.redeemInvitation.executeWithOptions({ summary: 'redeem the invitation' }, [{ peerId }])
  }
  while (!told.isClosed && !workflowInfo().continueAsNewSuggested) {
    setCurrentDetails(told.isAwake ? `sends what waits; ${sent} sent so far` : `nothing waits; ${sent} sent`)
    await condition(() => told.isAwake || told.isClosed)
    if (told.isClosed) return
    told.isAwake = false
    const turn = await send(peerId)
    if ('halted' in turn) {
      setCurrentDetails(`halted, ${sent} sent: ${turn.halted}`)
      await condition(() => told.isResumed || told.isClosed)
      told.isResumed = false
      told.isAwake = true
    } else {
      sent += turn.sent
      told.isAwake ||= !turn.isEmpty
    }
  }
  if (!told.isClosed) await continueAsNew<typeof peer>({ peerId, sent })
}

/** One turn; what the other side will never take halts the peer. */
async function send(peerId: string): Promise<Turn | { halted: string }> {
  try {
    return await patient.sendPeerDocuments.executeWithOptions({ summary: 'send what waits' }, [{ peerId }])
  } catch (error) {
    const { code, detail } = toRefusal(error)
    await database.haltPeer.executeWithOptions({ summary: 'nothing goes on' }, [{ peerId, code, detail }])
    return { halted: detail }
  }
}
