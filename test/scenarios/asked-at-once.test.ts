import assert from 'node:assert/strict'
import test, { after, before } from 'node:test'
import { createDiary, type Diary } from '#test/support/customer-diary.ts'
import { startInstallation, until, type TestInstallation } from '#test/support/installation.ts'
import type { AnyActivities } from '#test/support/workers.ts'

/** What has changed the rows, while Temporal is not told yet. */
const held = new Map<string, () => void>()
const isHeld = new Set<string>()

let installation: TestInstallation
let diary: Diary

before(async () => {
  installation = await startInstallation({ wrapActivities: holdAnswers })
  diary = createDiary(installation)
})
after(async () => await installation.stop())

function holdAnswers<Activities extends AnyActivities>(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => [
    name,
    async (input: never) => {
      const answer = await activity(input)
      if (isHeld.delete(name)) await new Promise<void>((resolve) => held.set(name, resolve))
      return answer
    },
  ])
  return Object.fromEntries(wrapped) as Activities
}

/** Asks while the rows have the change and the workflow has not, and lets it go on once it was asked. */
async function askWhile(activity: string, subscription: string, command: string, body = {}) {
  await until(`${activity} is done`, async () => await Promise.resolve(held.has(activity)))
  const asked = installation.call('POST', `/v1/subscriptions/${subscription}/${command}`, body)
  let isAnswered = false
  void asked.then(() => (isAnswered = true))
  await until(`${command} is taken, or refused`, async () => {
    const { events } = await installation.client.workflow
      .getHandle(`subscription/${subscription}`)
      .fetchHistory()
    const accepted = (events ?? []).map(
      (event) => event.workflowExecutionUpdateAcceptedEventAttributes?.acceptedRequest?.input?.name,
    )
    return isAnswered || accepted.includes(command)
  })
  held.get(activity)?.()
  held.delete(activity)
  return await asked
}

test('what is possible by the rows is not refused by what the workflow does not know yet', async () => {
  isHeld.add('activateSubscription')
  const subscription = await diary.order([{ product: 'static-site' }])
  const suspended = await askWhile('activateSubscription', subscription, 'suspend', { reason: 'not paid' })
  assert.deepEqual([suspended.status, suspended.body['phase']], [200, 'suspended'])

  isHeld.add('resumeSubscription')
  const resumed = installation.call('POST', `/v1/subscriptions/${subscription}/resume`, {})
  const paused = await askWhile('resumeSubscription', subscription, 'pause', {})
  assert.equal((await resumed).status, 200)
  assert.equal(paused.status, 200, JSON.stringify(paused.body))
  await diary.untilPhase(subscription, 'suspended')
})
