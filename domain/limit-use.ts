import Big from 'big.js'
import { divide } from './money.ts'

/** How much of a sold ceiling is used: decimals in the unit in which it is sold. */
export interface LimitUse {
  readonly used: string
  readonly ceiling: string
}

/** The share at which a limit is reached. */
const whole = new Big(100)

/**
 * The used share of a ceiling in percent, exact to 40 decimals: 4 of 5 users are 80, 120 of 100 GiB are 120. Of a ceiling of 0
 * everything is used, for nothing more can be taken.
 */
export function percentUsed({ used, ceiling }: LimitUse): Big {
  const most = new Big(ceiling)
  return most.gt(0) ? divide(new Big(used).times(100), most) : whole
}

/** Those of some shares, in percent, that are used: 4 of 5 have reached 80 and not 100. In the order given. */
export function reachedShares(use: LimitUse, percents: readonly number[]): number[] {
  const percent = percentUsed(use)
  return percents.filter((share) => percent.gte(share))
}

/** Whether nothing more may be taken: 5 of 5 users, 10 of 10 GiB. */
export function isLimitReached(use: LimitUse): boolean {
  return percentUsed(use).gte(whole)
}
