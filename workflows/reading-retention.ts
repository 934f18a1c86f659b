import { setCurrentDetails } from '@temporalio/workflow'
import { patientDatabase } from './activities.ts'

/** Once a day: old readings are rolled up into hours, and what is past its time goes. Nothing that is measured changes. */
export async function readingRetention(): Promise<void> {
  const { rolledUp, dropped, expired } = await patientDatabase.cleanUpReadings.executeWithOptions(
    { summary: 'roll up and drop old readings' },
    [],
  )
  const weeks = dropped.length === 0 ? 'no week' : dropped.join(', ')
  setCurrentDetails(`${rolledUp} readings rolled up, ${weeks} dropped, ${expired} hours removed`)
}
