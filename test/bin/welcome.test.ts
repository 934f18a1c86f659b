import assert from 'node:assert/strict'
import test from 'node:test'
import { welcome } from '#bin/welcome.ts'

const facts = {
  consoleUrl: 'http://localhost:4512',
  loginUrl: 'http://localhost:4512/login/x',
  apiKey: 'ck_live_x',
  temporalUiUrl: 'http://localhost:8234',
  subscriptionId: undefined,
  appUrl: undefined,
  customer: 'harbour-bakery',
  dataFolder: './second',
  seconds: 14,
}

test('a start with a folder of its own says what the command line has to be told to find it', () => {
  assert.match(
    welcome({ ...facts, toldFolder: '/srv/second' }),
    /Before {5}export CLOUDER_DATA=\/srv\/second {3}so that npx/,
  )
  assert.doesNotMatch(welcome({ ...facts, toldFolder: undefined }), /CLOUDER_DATA/)
})

test('where nothing was sold no workflow is named', () => {
  assert.match(welcome({ ...facts, toldFolder: undefined }), /Temporal {3}http:\/\/localhost:8234\/$/m)
})
