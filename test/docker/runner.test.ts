import { dockerRunner, docker } from './support.ts'
import { testRunnerContract } from './runner-contract.ts'

const labels = { 'com.example.owner': 'others' }

testRunnerContract('docker', {
  runner: dockerRunner(),
  makeForeign: async (t, kind, name) => {
    if (kind === 'network') {
      const network = await docker.createNetwork({ Name: name, Labels: labels })
      t.after(() => network.remove())
    } else if (kind === 'volume') {
      await docker.createVolume({ Name: name, Labels: labels })
      t.after(() => docker.getVolume(name).remove())
    } else {
      const [image] = await docker.listImages({ filters: { reference: ['clouder/demo-odoo'] } })
      const container = await docker.createContainer({ name, Image: image?.Id ?? '', Labels: labels })
      t.after(() => container.remove({ force: true, v: true }))
    }
  },
  hasForeign: async (kind, name) => {
    if (kind === 'network') {
      const found = await docker.getNetwork(name).inspect()
      return found.Labels?.['com.example.owner'] === 'others'
    }
    if (kind === 'volume')
      return (await docker.getVolume(name).inspect()).Labels['com.example.owner'] === 'others'
    return (await docker.getContainer(name).inspect()).Config.Labels['com.example.owner'] === 'others'
  },
})
