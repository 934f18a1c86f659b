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
import type { SeenTurn } from '#activities/peer.ts'
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
  const seen: Seen = { sent: input.sent ?? 0, consoleUrl: undefined }
  if (input.isAccepting) {
    await patient.redeemInvitation.executeWithOptions({ summary: 'redeem the invitation' }, [{ peerId }])
  }
  while (!told.isClosed && !workflowInfo().continueAsNewSuggested) {
    if (!told.isAwake) show(seen, 'nothing waits')
    await condition(() => told.isAwake || told.isClosed)
    if (told.isClosed) return
    told.isAwake = false
    show(seen, sending)
    const turn = await send(peerId)
    if ('halted' in turn) {
      show(seen, `halted until a person resumes it: ${turn.halted}`)
      await condition(() => told.isResumed || told.isClosed)
      told.isResumed = false
      told.isAwake = true
    } else {
      seen.sent += turn.sent
      seen.consoleUrl = turn.consoleUrl
      told.isAwake ||= !turn.isEmpty
    }
  }
  if (!told.isClosed) await continueAsNew<typeof peer>({ peerId, sent: seen.sent })
}

interface Seen {
  sent: number
  /** Known after the first turn. */
  consoleUrl: string | undefined
}

/** The activity under way fails with it: while it does, this does not know. */
const sending =
  'sends what waits; what is not taken, how much of it, since when and why is the last failure of sendPeerDocuments, under pending activities'

/** What a person sees in Temporal's UI, without our console. */
function show({ sent, consoleUrl }: Seen, standing: string): void {
  const rows = [
    ['standing', standing],
    ['messages sent', String(sent)],
    ...(consoleUrl === undefined ? [] : [['console', `[peers](${consoleUrl}/settings/peers)`]]),
  ]
  setCurrentDetails(
    ['| | |', '|---|---|', ...rows.map(([name, value]) => `| ${name} | ${value} |`)].join('\n'),
  )
}

/** One turn; what the other side will never take halts the peer. */
async function send(peerId: string): Promise<SeenTurn | { halted: string }> {
  try {
    return await patient.sendPeerDocuments.executeWithOptions({ summary: 'send what waits' }, [{ peerId }])
  } catch (error) {
    const { code, detail } = toRefusal(error)
    await database.haltPeer.executeWithOptions({ summary: 'nothing goes on' }, [{ peerId, code, detail }])
    return { halted: detail }
  }
}
