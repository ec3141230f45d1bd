import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseTime, parseTimeAt } from '../../../src/normalize/event-time.ts'

test('every form that CloudTrail and its shippers write is the same instant', () => {
  const instant = Date.UTC(2026, 2, 1, 8, 15, 30)
  for (const form of [
    '2026-03-01T08:15:30Z',
    '2026-03-01T08:15:30.000Z',
    '2026-03-01T08:15:30.000000000Z',
    '2026-03-01T08:15:30,0Z',
    '2026-03-01t08:15:30z',
    '2026-03-01T10:15:30+02:00',
    '2026-03-01T10:15:30+0200',
    '2026-03-01T10:15:30+02',
    '2026-03-01T02:45:30-05:30',
    '2026-02-28T23:15:30-09:00',
    '20260301T081530Z',
    '20260301T081530.000Z',
    '20260301T101530+0200',
    '2026-03-01 08:15:30.000',
    '2026-03-01 08:15:30',
    '2026-03-01 08:15:30 UTC',
  ]) {
    assert.equal(parseTime(form), instant, form)
  }
})

test('a fraction is cut to milliseconds, not rounded', () => {
  assert.equal(parseTime('2026-03-01T08:15:30.9999Z'), Date.UTC(2026, 2, 1, 8, 15, 30, 999))
  assert.equal(parseTime('2026-03-01T08:15:30.5Z'), Date.UTC(2026, 2, 1, 8, 15, 30, 500))
  assert.equal(parseTime('20260301T081530.07Z'), Date.UTC(2026, 2, 1, 8, 15, 30, 70))
})

test('it agrees with Date on every day from 1999 to 2101 and at the ends of the calendar', () => {
  for (let day = Date.UTC(1999, 0, 1); day < Date.UTC(2101, 0, 1); day += 86_400_000) {
    const at = day + (day % 86_399) * 1000
    assert.equal(parseTime(`${new Date(at).toISOString().slice(0, 19)}Z`), at)
  }
  for (const end of ['0000-01-01T00:00:00Z', '0000-02-29T23:59:59Z', '9999-12-31T23:59:59Z']) {
    assert.equal(parseTime(end), Date.parse(end), end)
  }
})

test('a leap second is the second after it', () => {
  assert.equal(parseTime('2016-12-31T23:59:60Z'), Date.UTC(2017, 0, 1))
})

test('what is no instant is null', () => {
  for (const text of [
    '',
    'now',
    '1772352930',
    '1772352930000',
    '2026-03-01',
    '2026-03-01T08:15:30',
    '20260301T081530',
    '2026-3-1T08:15:30Z',
    '2026-00-01T08:15:30Z',
    '2026-13-01T08:15:30Z',
    '2026-02-29T08:15:30Z',
    '2100-02-29T08:15:30Z',
    '2026-04-31T08:15:30Z',
    '2026-03-00T08:15:30Z',
    '2026-03-01T24:00:00Z',
    '2026-03-01T08:60:30Z',
    '2026-03-01T08:15:61Z',
    '2026-03-01T08:15:30+24:00',
    '2026-03-01T08:15:30+02:60',
    '2026-03-01T08:15:30ZZ',
    ' 2026-03-01T08:15:30Z',
    '2026-03-01T0a:15:30Z',
    '2026-03-01T08:15:3-Z',
    '٢٠٢٦-03-01T08:15:30Z',
    '2026-03-01T08:15:30.Z',
    'Sun, 01 Mar 2026 08:15:30 GMT',
  ]) {
    assert.equal(parseTime(text), null, text)
  }
})

test('bytes are read as their text is, in the common form only', () => {
  const at = (text: string) => {
    const bytes = Buffer.from(`"${text}",`)
    return parseTimeAt(bytes, 1, bytes.length - 2)
  }
  assert.equal(at('2026-03-01T08:15:30Z'), Date.UTC(2026, 2, 1, 8, 15, 30))
  for (const other of [
    '2026-03-01T08:15:30.0Z',
    '2026-02-30T08:15:30Z',
    '2026-03-01T08:15:3\\',
    '2026-03-01 08:15:30Z',
    '',
  ])
    assert.equal(at(other), null, other)
})
