import assert from 'node:assert/strict'
import test from 'node:test'
import { nearest } from '#bin/clouder/suggestion.ts'

const known = ['static-site', 'odoo-config-1', 'odoo-config-2', 'set-up']

test('a slip of a letter or two finds the word that was meant', () => {
  assert.equal(nearest('static-sit', known), 'static-site')
  assert.equal(nearest('staticsite', known), 'static-site')
  assert.equal(nearest('setup', known), 'set-up')
  assert.equal(nearest('odoo-conifg-2', known), 'odoo-config-2')
})

test('what is like nothing gets no suggestion', () => {
  assert.equal(nearest('wordpress', known), undefined)
  assert.equal(nearest('static-site', []), undefined)
})
