/** Of the messages between installations. A reader understands this one and the two before, once there are such. */
export const peerVersion = 1

/** Where an installation answers others. */
export const peerPaths = {
  redemption: '/v1/peers/redeem',
  documents: '/v1/peer-documents',
} as const

/** Signals to the workflow of a peer: something waits to be sent, what halted it is settled, or the trust has ended. */
export const peerSignals = {
  documentsWait: 'documentsWait',
  resumed: 'peerResumed',
  closed: 'peerClosed',
} as const
