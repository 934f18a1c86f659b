import { fieldError } from './errors.ts'
import type { CatalogProduct, PlannedLine, PlannedSubscription } from './order.ts'

/** Whether an add-on is sold beside a product, or beside what that is a variant of. */
export function fitsBeside(
  addOn: Pick<CatalogProduct, 'addOnOf'>,
  main: Pick<CatalogProduct, 'id' | 'variantOf'>,
): boolean {
  return (
    addOn.addOnOf.includes(main.id) || (main.variantOf !== null && addOn.addOnOf.includes(main.variantOf))
  )
}

/**
 * Add-ons become lines of the first subscription of the order that has a product that they are sold beside.
 * @throws `addon_not_available` with the pointer of its line
 */
export function attachAddOns(planned: readonly PlannedSubscription[]): PlannedSubscription[] {
  const hosts = planned.filter((subscription) => !isAddOn(subscription))
  for (const addOn of planned.filter(isAddOn)) {
    const [line, ...options] = addOn.lines
    if (line === undefined) continue
    const place = hosts.findIndex(({ lines }) =>
      lines.some(({ product }) => fitsBeside(line.product, product)),
    )
    const host = hosts[place]
    const main = host?.lines.find(({ product }) => fitsBeside(line.product, product))
    if (host === undefined || main === undefined) throw refuseAlone(line)
    hosts[place] = {
      ...host,
      lines: [...host.lines, ...attachTo(main, line, options)],
      applicationIds: [...new Set([...host.applicationIds, ...addOn.applicationIds])],
      variables: { ...host.variables, ...addOn.variables },
      places: { ...host.places, ...addOn.places },
      secrets: { ...host.secrets, ...addOn.secrets },
    }
  }
  return hosts
}

/** An add-on ends with its main line, and the add-on's options with the add-on. */
function attachTo(main: PlannedLine, addOn: PlannedLine, options: readonly PlannedLine[]): PlannedLine[] {
  const attached = { ...addOn, main }
  return [attached, ...options.map((option) => ({ ...option, main: attached }))]
}

function isAddOn({ lines: [first], productId }: PlannedSubscription): boolean {
  return productId !== null && first !== undefined && first.product.addOnOf.length > 0
}

function refuseAlone({ product, orderLineIndex }: PlannedLine) {
  return fieldError(
    `/lines/${orderLineIndex}/product`,
    'addon_not_available',
    `${product.code} is an add-on: order it with what it is sold beside, or name a subscription that has it.`,
  )
}

/** A fee that is paid once is on one invoice with what recurs. */
export function joinOneTimeFees(planned: readonly PlannedSubscription[]): PlannedSubscription[] {
  const isFee = (subscription: PlannedSubscription) =>
    subscription.applicationIds.length === 0 && subscription.lines.every((line) => line.interval === null)
  const [first, ...others] = planned.filter((subscription) => !isFee(subscription))
  const fees = planned.filter(isFee)
  if (!first) return [...fees]
  return [{ ...first, lines: [...first.lines, ...fees.flatMap((fee) => fee.lines)] }, ...others]
}
