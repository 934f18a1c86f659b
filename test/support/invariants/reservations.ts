import type { Invariant } from './invariant.ts'

/** What instances take of their servers. */
export const reservationInvariants: readonly Invariant[] = [
  {
    never: 'is a living instance without its place on its own server, unless its build was undone',
    query: `
      select format('%s in state %s', instance.name, instance.state) as found
      from instances instance
      left join reservations reservation on reservation.instance_id = instance.id
      where instance.destroyed_at is null and (
        reservation.server_id is distinct from instance.server_id
        or reservation.released_at is not null and not exists (
          select from build_orders where subscription_id = instance.subscription_id and kind = 'build' and state = 'undone'))`,
  },
  {
    never: 'does a destroyed instance hold a place on a server',
    query: `
      select instance.name as found
      from reservations reservation join instances instance on instance.id = reservation.instance_id
      where instance.destroyed_at is not null and reservation.released_at is null`,
  },
]
