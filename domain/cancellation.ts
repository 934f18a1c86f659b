/** Why a subscription is cancelled, as reports count it; what was said beside it is the command's reason. */
export type CancelReason = (typeof cancelReasons)[number]

/** By themselves end what was handed over whole, and a trial that nobody wanted to go on. */
export type EndReason = CancelReason | 'handed_over' | 'trial_over'

/** What a person may choose. */
export const cancelReasons = [
  'too_expensive',
  'missing_features',
  'poor_quality',
  'poor_service',
  'not_used',
  'other_provider',
  'business_closed',
  'not_paid',
  'other',
] as const

export const cancelReasonNames: Readonly<Record<EndReason, string>> = {
  too_expensive: 'Too expensive',
  missing_features: 'Something is missing',
  poor_quality: 'It does not work well',
  poor_service: 'Poor service',
  not_used: 'Not used any more',
  other_provider: 'Another provider',
  business_closed: 'The business closes',
  not_paid: 'Not paid',
  other: 'Another reason',
  handed_over: 'Handed over',
  trial_over: 'The trial is over',
}
