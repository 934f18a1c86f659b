/** How a product is charged: pays X; pays X per Y units metered; pays for X and gets no more than X. */
export type BillingType = 'flat' | 'usage' | 'threshold'

/** Whether a service period is billed on its first day or on the day after its last. */
export type BillingTiming = 'advance' | 'arrears'

export const billingTypes: readonly BillingType[] = ['flat', 'usage', 'threshold']
export const billingTimings: readonly BillingTiming[] = ['advance', 'arrears']
