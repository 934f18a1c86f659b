export const instanceStates = [
  'ordered',
  'building',
  'running',
  'limited',
  'suspended',
  'cancelling',
  'destroyed',
  'failed',
] as const

/** Where an instance stands. The drawn paths between states are held by the database (`check_instance_state`). */
export type InstanceState = (typeof instanceStates)[number]
