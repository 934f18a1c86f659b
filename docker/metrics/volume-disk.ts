import { z } from 'zod'
import { volumeName } from '#domain/build-plan.ts'
import { DISK_DEADLINE_MS } from './disk-usage.ts'
import { objectName } from '../compose/object-name.ts'
import { defineSource } from './source.ts'

/** Bytes that a volume holds, as the engine counts them; measured whether its containers run or not. */
export const volumeDisk = defineSource({
  type: 'volume-disk',
  schema: z.strictObject({ type: z.literal('volume-disk'), volume: objectName }),
  imagined: 'volume',
  deadlineMs: DISK_DEADLINE_MS,
  async read({ diskUsage, ref }, _metric, { volume }) {
    const name = volumeName(ref.instance, volume)
    const bytes = (await diskUsage()).get(name)
    return bytes === undefined ? [] : [{ series: `volume:${name}`, value: String(bytes), unit: 'B' }]
  },
})
