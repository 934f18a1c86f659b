import assert from 'node:assert/strict'
import test from 'node:test'
import type { VariableDefinition } from '#domain/application.ts'
import { configure, expectDifferences } from '#domain/instance-configuration.ts'
import { shop, shopInstance } from './application-fixture.ts'

const variable = (name: string, more: Partial<VariableDefinition> = {}): VariableDefinition => ({
  name,
  source: 'asked',
  isRequired: false,
  fallback: null,
  isInShellLine: false,
  ...more,
})
const definition = {
  ...shop,
  variables: [
    variable('COLOUR'),
    variable('TITLE', { isRequired: true }),
    variable('SHELL', { isInShellLine: true }),
    variable('ADDRESS', { source: 'address_url' }),
    variable('TOKEN'),
  ],
}
const planned = { ...shopInstance, variables: { TITLE: 'Shop', COLOUR: 'red', TOKEN: null } }
const of = { definition, planned }

test('what is left out stays, and null takes back what was given', () => {
  const first = configure(of, {
    variables: { COLOUR: 'blue' },
    limits: { web: { memoryMib: 4096, cpus: 2 } },
  })
  assert.deepEqual(first.variables, { TITLE: 'Shop', COLOUR: 'blue', TOKEN: null })
  assert.deepEqual(first.limits, { web: { memoryMib: 4096, cpus: 2 } })
  const next = { definition, planned: first }
  assert.deepEqual(configure(next, { limits: { web: { cpus: null, pids: 99 } } }).limits, {
    web: { memoryMib: 4096, pids: 99 },
  })
  const back = configure(next, {
    variables: { COLOUR: null },
    limits: { web: { memoryMib: null, cpus: null } },
  })
  assert.deepEqual([back.variables, back.limits], [{ TITLE: 'Shop', TOKEN: null }, {}])
})

test('what there is not, what is secret or an address, and what a shell would misread is refused at its place', () => {
  const refused: [Parameters<typeof configure>[1], string, string][] = [
    [{ variables: { NOBODY: 'x' } }, 'field_invalid', '/variables/NOBODY'],
    [{ variables: { ADDRESS: 'x' } }, 'field_invalid', '/variables/ADDRESS'],
    [{ variables: { TOKEN: 'x' } }, 'field_invalid', '/variables/TOKEN'],
    [{ variables: { PASSWORD: 'x' } }, 'field_invalid', '/variables/PASSWORD'],
    [{ variables: { SHELL: '$(reboot)' } }, 'field_invalid', '/variables/SHELL'],
    [{ variables: { TITLE: null } }, 'variable_missing', '/variables/TITLE'],
    [{ limits: { nobody: {} } }, 'field_invalid', '/limits/nobody'],
  ]
  for (const [asked, code, pointer] of refused)
    assert.throws(
      () => configure(of, asked),
      (error: { code?: string; fields?: { pointer: string }[] }) =>
        error.code === code && error.fields?.[0]?.pointer === pointer,
      pointer,
    )
})

test('a wish that is taken back before it was carried out leaves no difference', () => {
  const change = (wanted: string, running: string) => [
    {
      service: 'web',
      container: 'acme_shop-1_web',
      effect: 'replaced' as const,
      differences: [{ key: 'environment.COLOUR', wanted, running }],
    },
  ]
  const wished = expectDifferences([], change('blue', 'red'))
  assert.deepEqual(wished, [{ service: 'web', key: 'environment.COLOUR', wanted: 'blue', running: 'red' }])
  const again = expectDifferences(wished, change('green', 'blue'))
  assert.deepEqual(again, [{ service: 'web', key: 'environment.COLOUR', wanted: 'green', running: 'red' }])
  assert.deepEqual(expectDifferences(again, change('red', 'green')), [])
})
