// EventSorter: by principal and event time, ties by identity and arrival, in memory or through a temporary file that never outlives its use.
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import fc from 'fast-check'
import { eventEncoder } from '../../../src/codecs/cloudtrail-event.ts'
import { EventSorter, sortedSchemaId } from '../../../src/commands/event-sorter.ts'
import { topicContract } from '../../../src/topics.ts'
import { call } from '../../harness/detection.ts'

// A folder of our own for temporary files, so that what is left behind can be counted.
const folder = mkdtempSync(join(tmpdir(), 'sorter-test-'))
const own = join(folder, 'tmp')
mkdirSync(own)
const before = process.env['TMPDIR']
process.env['TMPDIR'] = own
after(() => {
  if (before === undefined) delete process.env['TMPDIR']
  else process.env['TMPDIR'] = before
  rmSync(folder, { recursive: true })
})
const leftBehind = () => readdirSync(own).length

const schema = topicContract('EVENTS_TOPIC').schema!
const sorter = (maxBytes?: number) => new EventSorter(schema, null, maxBytes)

function sorted(times: readonly number[], maxBytes?: number): string[] {
  const made = sorter(maxBytes)
  for (const [index, time] of times.entries()) made.add(call(time, { eventId: `${time}#${index}` }))
  return [...made.drain()].map(event => event.eventId)
}

test('events come out by event time, those of one time in the order of arrival', () => {
  assert.deepEqual(sorted([5, 3, 5, 1, 3, 5]), ['1#3', '3#1', '3#4', '5#0', '5#2', '5#5'])
  assert.deepEqual(sorted([]), [])
})

test('one principal comes after the other, each by event time', () => {
  for (const maxBytes of [undefined, 1000]) {
    const made = sorter(maxBytes)
    for (const [key, time] of [
      ['b', 1],
      ['a', 9],
      ['b', 0],
      ['', 5],
      ['a', 2],
    ] as const)
      made.add(call(time, { principal: { key, kind: 'ROLE', name: key } }))
    assert.deepEqual(
      [...made.drain()].map(event => `${event.principal.key}${event.eventTime}`),
      ['5', 'a2', 'a9', 'b0', 'b1'],
    )
  }
})

test('events of one time come by account and id whatever the order of arrival, copies as they arrived', () => {
  const ids = ['b', 'a', 'c', 'a', '']
  for (const order of [ids, [...ids].reverse(), ['c', 'a', '', 'b', 'a']]) {
    const made = sorter()
    for (const eventId of order) made.add(call(7, { eventId }))
    assert.deepEqual(
      [...made.drain()].map(event => event.eventId),
      ['', 'a', 'a', 'b', 'c'],
    )
  }
})

test('events that are added as bytes come out the same, from memory and from disk, and the bytes may be overwritten', () => {
  const encoder = eventEncoder(schema)
  const times = [5, 3, 9, 1, 3, 5]
  for (const maxBytes of [undefined, 1000]) {
    const made = sorter(maxBytes)
    for (const [index, time] of times.entries()) {
      const event = call(time, { eventId: `${time}#${index}` })
      const bytes = Buffer.from(encoder.encode(event, sortedSchemaId))
      made.addEncoded(bytes)
      bytes.fill(0xff)
    }
    assert.equal(made.spilled > 0, maxBytes !== undefined)
    assert.deepEqual(
      [...made.drain()].map(event => [event.eventId, event.eventTime]),
      ['1#3', '3#1', '3#4', '5#0', '5#5', '9#2'].map(id => [id, Number(id[0])]),
    )
  }
})

test('a second with more events than memory is ordered on disk as well', () => {
  const ids = Array.from({ length: 200 }, (_, index) => String((index * 77) % 200).padStart(3, '0'))
  const made = sorter(4000)
  for (const eventId of ids) made.add(call(7, { eventId }))
  assert.ok(made.spilled > 10 * 4000)
  assert.deepEqual(
    [...made.drain()].map(event => event.eventId),
    ids.toSorted(),
  )
})

test('through a temporary file the result is that of memory', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: -5, max: 20 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 4000 }),
      (times, maxBytes) => {
        assert.deepEqual(sorted(times, maxBytes), sorted(times))
      },
    ),
    { numRuns: 60 },
  )
  assert.equal(leftBehind(), 0)
})

test('runs larger than a read from the file come back whole', () => {
  const made = sorter(1 << 20)
  const large = 'x'.repeat(100_000)
  for (let index = 0; index < 30; index++)
    made.add(call((index * 7) % 30, { eventId: String((index * 7) % 30), requestParameters: `"${large}${index}"` }))
  assert.ok(made.spilled > 2 << 20)
  const events = [...made.drain()]
  assert.deepEqual(
    events.map(event => event.eventTime),
    Array.from({ length: 30 }, (_, time) => time),
  )
  for (const event of events) assert.equal(event.requestParameters, `"${large}${(event.eventTime * 13) % 30}"`)
})

test('the temporary file has no name, and is closed after the last event, an early stop, an error and close', () => {
  const open = () => (existsSync('/proc/self/fd') ? readdirSync('/proc/self/fd').length : 0)
  const files = open()
  const spilled = () => {
    const made = sorter(1)
    for (const time of [3, 1, 2]) made.add(call(time))
    assert.ok(made.spilled > 0)
    if (process.platform !== 'win32') assert.equal(leftBehind(), 0)
    if (files > 0) assert.equal(open(), files + 1)
    return made
  }
  const gone = () => {
    assert.equal(leftBehind(), 0)
    assert.equal(open(), files)
  }
  assert.equal([...spilled().drain()].length, 3)
  gone()
  for (const event of spilled().drain()) {
    assert.equal(event.eventTime, 1)
    break
  }
  gone()
  assert.throws(() => {
    for (const event of spilled().drain()) throw new Error(event.eventId)
  })
  gone()
  spilled().close()
  gone()
})

test('the events can be gone over twice before the sorter is closed', () => {
  const made = sorter(600)
  for (const time of [30, 10, 20, 40, 5, 50]) made.add(call(time))
  assert.ok(made.spilled > 0)
  for (const pass of [1, 2])
    assert.deepEqual(
      [...made.values()].map(event => event.eventTime),
      [5, 10, 20, 30, 40, 50],
      `pass ${pass}`,
    )
  made.close()
  assert.deepEqual([...made.values()], [])
})

test('a sorter can be used again after it was drained', () => {
  const made = sorter(600)
  for (const round of [1, 2]) {
    for (const time of [30, 10, 20, 40]) made.add(call(time * round))
    assert.deepEqual(
      [...made.drain()].map(event => event.eventTime),
      [10, 20, 30, 40].map(time => time * round),
    )
    assert.equal(leftBehind(), 0)
  }
})
