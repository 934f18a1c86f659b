import type { Client } from '@temporalio/client'

export interface StartedWorkflow {
  readonly type: string
  readonly workflowId: string
  readonly args: readonly unknown[]
}

export interface SentUpdate {
  readonly workflowId: string
  readonly name: string
  readonly args: readonly unknown[]
  readonly updateId: string
}

/** Stands in for Temporal's client where only the routing of starts and commands is under test. */
export function createFakeTemporal() {
  const started: StartedWorkflow[] = []
  const updates: SentUpdate[] = []
  const behaviour: {
    onStart: (workflow: StartedWorkflow) => Promise<void>
    onUpdate: (update: SentUpdate) => Promise<unknown>
    onExecute: (workflow: StartedWorkflow) => Promise<unknown>
    onPing: () => Promise<void>
  } = {
    onStart: () => Promise.resolve(),
    onUpdate: (update) => Promise.resolve({ requestId: update.updateId, refusal: null }),
    onExecute: ({ type }) => Promise.reject(new Error(`nobody answers the workflow ${type}`)),
    onPing: () => Promise.resolve(),
  }
  // Only what the API calls; anything else fails by its absence.
  const client: unknown = {
    withDeadline: <T>(_deadline: number, work: () => Promise<T>) => work(),
    workflowService: { getSystemInfo: () => behaviour.onPing() },
    workflow: {
      async start(type: string, options: { workflowId: string; args: readonly unknown[] }) {
        const workflow = { type, workflowId: options.workflowId, args: options.args }
        await behaviour.onStart(workflow)
        started.push(workflow)
      },
      async execute(type: string, options: { workflowId: string; args: readonly unknown[] }) {
        return await behaviour.onExecute({ type, workflowId: options.workflowId, args: options.args })
      },
      getHandle: (workflowId: string) => ({
        async executeUpdate(name: string, options: { args: readonly unknown[]; updateId: string }) {
          const update = { workflowId, name, ...options }
          updates.push(update)
          return await behaviour.onUpdate(update)
        },
      }),
    },
  }
  return { client: client as Client, started, updates, behaviour }
}
