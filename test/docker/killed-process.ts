import { planBuild, planUnbuild, type PlannedInstance } from '#domain/build-plan.ts'
import { context, dockerRunner, standIn } from './support.ts'

// Builds or unbuilds the stand-in, telling each step before it begins, until it is killed.
const [what = '', instanceJson = ''] = process.argv.slice(2)
const instance: PlannedInstance = JSON.parse(instanceJson)
const runner = dockerRunner()
const steps = planBuild(standIn, instance)

if (what === 'build') {
  for (const step of steps) {
    process.stdout.write(`${step.kind}\n`)
    await runner.ensure(step, context())
  }
} else {
  for (const step of planUnbuild(steps)) {
    process.stdout.write(`${step.kind}\n`)
    await runner.remove(step, context())
  }
}
process.stdout.write('done\n')
