import { Context } from '@temporalio/activity'

const beatMs = 1_000

type Activity = (input: never) => Promise<unknown>

/**
 * Gives activities that say each second that their worker lives: one that died is then noticed by its silence, not by the
 * deadline of what it was doing.
 */
export function beating<Activities extends Record<string, Activity>>(activities: Activities): Activities {
  const wrapped = Object.entries(activities).map(([name, activity]) => {
    const alive = async (input: never): Promise<unknown> => {
      const context = Context.current()
      const beat = setInterval(() => context.heartbeat(), beatMs)
      try {
        return await activity(input)
      } finally {
        clearInterval(beat)
      }
    }
    return [name, alive] as const
  })
  return Object.fromEntries(wrapped) as Activities
}
