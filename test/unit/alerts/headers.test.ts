// alertHeaders: CloudEvents 1.0 binary mode, printable whatever the rule is called.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { alertHeaders } from '../../../src/alerts/headers.ts'
import { hostileText, regionAlert, start } from './samples.ts'

test('the headers of an alert', () => {
  const key = `secretsmanager-multi-region:9f86d081884c7d65:-:${start + 146_667}`
  assert.deepEqual(alertHeaders(regionAlert(), '/trailwarden/cloudtrail.events.v1', 'application/avro'), {
    ce_specversion: '1.0',
    ce_id: `${key}/0`,
    ce_type: 'io.trailwarden.alert.secretsmanager-multi-region.v1',
    ce_source: '/trailwarden/cloudtrail.events.v1',
    ce_time: '2026-11-23T00:55:47.125Z',
    'content-type': 'application/avro',
    'trailwarden-dedup-key': key,
    'trailwarden-rule': 'secretsmanager-multi-region',
  })
})

test('an UPDATE has an id of its own and the dedup key of its episode', () => {
  const create = alertHeaders(regionAlert(), '/s', 'application/json')
  const update = alertHeaders(regionAlert({ activity: 'UPDATE', sequence: 1 }), '/s', 'application/json')
  assert.notEqual(update['ce_id'], create['ce_id'])
  assert.equal(update['trailwarden-dedup-key'], create['trailwarden-dedup-key'])
  assert.equal(update['content-type'], 'application/json')
})

test('what is not visible ASCII is percent-encoded and comes back', () => {
  const ruleId = 'Zugriff auf Geheimnisse 100 %, früh\r\n\u001b'
  const headers = alertHeaders(regionAlert({ ruleId }), '/s', 'application/avro')
  assert.equal(headers['trailwarden-rule'], 'Zugriff%20auf%20Geheimnisse%20100%20%25,%20fr%C3%BCh%0D%0A%1B')
  assert.equal(decodeURIComponent(headers['trailwarden-rule']), ruleId)
})

test('any text gives visible ASCII', () => {
  fc.assert(
    fc.property(hostileText(40), hostileText(40), (ruleId, dedupKey) => {
      const headers = alertHeaders(regionAlert({ ruleId, dedupKey }), '/s', 'application/avro')
      for (const value of Object.values(headers)) assert.match(value, /^[\x21-\x7e]*$/)
      assert.equal(decodeURIComponent(headers['trailwarden-rule']!), ruleId.toWellFormed())
    }),
  )
})
