import Big from 'big.js'
import { greater, lesser } from './decimal.ts'

/** What is left of a grant; below 0 where more was used than granted. */
export function remaining(granted: Big, used: Big): Big {
  return granted.minus(used)
}

/** The next balance where unused units roll over: what was not used, at most the cap, on top of the next grant. */
export function rollOver(grant: Big, used: Big, cap: Big | null): Big {
  const unused = greater(new Big(0), remaining(grant, used))
  return grant.plus(cap === null ? unused : lesser(unused, cap))
}

/**
 * Usage taken from balances, oldest first: 400 and 1,000, used 300: 100 and 1,000 are left.
 * @returns what is left of each, and what no balance covered
 */
export function consumeBalances(balances: readonly Big[], usage: Big): { left: Big[]; uncovered: Big } {
  let uncovered = usage
  const left = balances.map((balance) => {
    const taken = lesser(greater(new Big(0), balance), uncovered)
    uncovered = uncovered.minus(taken)
    return balance.minus(taken)
  })
  return { left, uncovered }
}
