// rfc3339: the calendar against Date.prototype.toISOString, and totality at and beyond the ends of RFC 3339.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { rfc3339 } from '../../src/rfc3339.ts'

const earliest = Date.parse('0000-01-01T00:00:00.000Z')
const latest = Date.parse('9999-12-31T23:59:59.999Z')

test('a known time', () => {
  assert.equal(rfc3339(1_795_395_342_007), '2026-11-23T00:55:42.007Z')
  assert.equal(rfc3339(0), '1970-01-01T00:00:00.000Z')
  assert.equal(rfc3339(-1), '1969-12-31T23:59:59.999Z')
})

test('every day of a Gregorian cycle of 400 years agrees with Date', () => {
  for (let ms = Date.UTC(1800, 0, 1); ms < Date.UTC(2200, 0, 2); ms += 86_400_000) {
    assert.equal(rfc3339(ms), new Date(ms).toISOString())
  }
})

test('any millisecond of the years 0000 to 9999 agrees with Date', () => {
  fc.assert(fc.property(fc.integer({ min: earliest, max: latest }), ms => rfc3339(ms) === new Date(ms).toISOString()))
})

test('fractions of a millisecond are cut downwards, before 1970 as well', () => {
  assert.equal(rfc3339(1.999), '1970-01-01T00:00:00.001Z')
  assert.equal(rfc3339(-0.5), '1969-12-31T23:59:59.999Z')
})

test('a number that RFC 3339 cannot express gives the nearest timestamp', () => {
  for (const ms of [latest + 1, 8.64e15, Number.MAX_VALUE, Infinity]) {
    assert.equal(rfc3339(ms), '9999-12-31T23:59:59.999Z')
  }
  for (const ms of [earliest - 1, -8.64e15, -Infinity, NaN]) assert.equal(rfc3339(ms), '0000-01-01T00:00:00.000Z')
  assert.equal(rfc3339(latest + 0.5), '9999-12-31T23:59:59.999Z')
})
