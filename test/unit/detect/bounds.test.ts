// The bounded parts one by one: hashes, capped lists, seen events, thinning, sightings.
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { CappedList } from '../../../src/detect/capped-list.ts'
import { saturation } from '../../../src/detect/condition.ts'
import { maxSummaryFields, summaryOf } from '../../../src/detect/evidence.ts'
import { compileRule } from '../../../src/detect/compiled-rule.ts'
import { hash32, hash53 } from '../../../src/detect/hash.ts'
import { eventHash, SeenEvents } from '../../../src/detect/seen-events.ts'
import { Sightings } from '../../../src/detect/sightings.ts'
import { thinToCap } from '../../../src/detect/sorted-times.ts'
import { boundedText, boundedValue } from '../../../src/detect/text.ts'
import { Watch } from '../../../src/detect/watch.ts'
import type { Field } from '../../../src/rules/rule.ts'
import { call, minute, rule } from '../../harness/detection.ts'

/** The documented cap of remembered events. */
const maxSeen = 4096

const ids = Array.from({ length: 50_000 }, (_, i) => `5d1c1a3e-8f5b-4c1e-9a3e-${String(i).padStart(12, '0')}`)

describe('hashes', () => {
  test('stay what they are: the state topic holds them', () => {
    assert.equal(hash53('111122223333', '5d1c1a3e-8f5b-4c1e-9a3e-2a6f4b1c0d9e'), 882992766651674)
    assert.equal(hash32('us-east-1'), 1809848161)
  })

  test('of 53 bits do not collide on event ids that differ in one digit, and use all their bits', () => {
    const hashes = ids.map(id => hash53('111122223333', id))
    assert.equal(new Set(hashes).size, ids.length)
    assert.ok(hashes.every(h => Number.isSafeInteger(h) && h >= 0 && h < 2 ** 53))
    for (let bit = 0; bit < 53; bit++) {
      const ones = hashes.filter(h => Math.floor(h / 2 ** bit) % 2 === 1).length
      // half of 50,000, within six standard deviations of a fair coin (sd 112)
      assert.ok(Math.abs(ones - ids.length / 2) < 6 * 112, `bit ${bit}: ${ones}`)
    }
  })

  test('keep account and id apart', () => {
    assert.notEqual(hash53('a', 'bc'), hash53('ab', 'c'))
    assert.notEqual(hash53('', 'a'), hash53('a', ''))
    assert.equal(eventHash('111122223333', ''), null)
  })
})

describe('a capped list', () => {
  test('counts exactly up to sixty-four and within forty percent far beyond', () => {
    const list = new CappedList(20)
    ids.forEach((id, i) => {
      list.add(id)
      list.add(id)
      if (i < 64) assert.equal(list.total(), i + 1)
    })
    assert.equal(list.items.length, 20)
    assert.ok(Math.abs(list.total() - ids.length) < 0.4 * ids.length, String(list.total()))
  })

  test('says the same whatever the order, beyond what it lists', () => {
    const forth = new CappedList(5)
    const back = new CappedList(5)
    for (const id of ids.slice(0, 900)) forth.add(id)
    for (const id of ids.slice(0, 900).reverse()) back.add(id)
    assert.equal(forth.total(), back.total())
  })

  test('joins without counting twice', () => {
    const all = new CappedList(10)
    for (const id of ids.slice(0, 300)) all.add(id)
    const parts = [ids.slice(0, 200), ids.slice(100, 300)].map(part => {
      const list = new CappedList(10)
      for (const id of part) list.add(id)
      return list
    })
    parts[0]!.merge(parts[1]!)
    assert.equal(parts[0]!.total(), all.total())
    assert.equal(parts[0]!.items.length, 10)
  })
})

describe('seen events', () => {
  const fill = (count: number, gap: number): SeenEvents => {
    const seen = new SeenEvents()
    for (let i = 0; i < count; i++) seen.add(i, i * gap, i * gap - 15 * minute, i * gap - 24 * 60 * minute)
    return seen
  }

  test('forget nothing within lateness below the cap', () => {
    const seen = fill(3000, 300)
    for (let i = 0; i < 3000; i++) assert.ok(seen.has(i), `event ${i}`)
  })

  test('forget the oldest first at the cap', () => {
    const seen = fill(2 * maxSeen, 1)
    assert.ok(seen.size() <= maxSeen)
    assert.ok(!seen.has(0) && seen.has(2 * maxSeen - 1) && seen.has(2 * maxSeen - maxSeen + 64))
  })

  test('go on apart after a copy', () => {
    const one = fill(10, 1000)
    const two = one.clone()
    two.add(100, 0, 0, 0)
    one.add(200, 0, 0, 0)
    assert.deepEqual([one.has(100), one.has(200), two.has(100), two.has(200)], [false, true, true, false])
    assert.deepEqual(new SeenEvents(one.snapshot()).snapshot(), one.snapshot())
  })
})

describe('other bounds', () => {
  test('thinning keeps the ends and the sparse times', () => {
    const times = [0, 100, 200, 201, 202, 300]
    thinToCap(times, 5)
    assert.deepEqual(times, [0, 100, 200, 202, 300])
  })

  test('how far to count for every operator', () => {
    const table: [Parameters<typeof saturation>[0], number][] = [
      [{ gte: 5 }, 5],
      [{ gte: 4.5 }, 5],
      [{ gt: 5 }, 6],
      [{ lt: 5 }, 6],
      [{ eq: 3 }, 4],
      [{ gte: 2, lte: 7 }, 8],
      [{ gte: -3 }, 1],
    ]
    for (const [condition, expected] of table) assert.equal(saturation(condition), expected, JSON.stringify(condition))
  })

  test('long values are cut and stay distinct, lone surrogates are replaced', () => {
    const [a, b] = ['a', 'b'].map(end => boundedValue('x'.repeat(3000) + end))
    assert.notEqual(a, b)
    assert.equal(a?.length, 200)
    assert.equal(boundedValue('\ud800'), '\ufffd')
    assert.equal(boundedText('ab\u{1f600}', 3), 'ab\ufffd')
    assert.deepEqual([boundedValue(''), boundedText(7, 3)], [null, null])
  })

  test('summary fields are capped in number and length, absent, empty and repeated ones are left out', () => {
    const reads = (name: string, value: unknown): Field => ({ name, read: () => value as string | null })
    const event = call(0)
    const fields = [reads('a', null), reads('b', ''), reads('c', 7), reads('d', 'x\ud800'), reads('d', 'again')]
    assert.deepEqual(summaryOf(event, fields), [{ field: 'd', value: 'x\ufffd' }])
    const many = Array.from({ length: 30 }, (_, i) => reads(`f${i}`, i === 0 ? null : '\u{1f600}'.repeat(200)))
    const shown = summaryOf(event, many)
    assert.deepEqual(
      shown.map(({ field }) => field),
      Array.from({ length: maxSummaryFields }, (_, i) => `f${i + 1}`),
    )
    assert.ok(shown.every(({ value }) => value === '\u{1f600}'.repeat(128)))
  })

  test('events that differ in a summary field are not alike', () => {
    const rows = new Sightings(80 * minute, 3)
    const shown = (value: string) => [{ field: 'errorMessage', value }]
    for (const value of ['x', 'y', 'x']) rows.add(call(0), 'a', shown(value))
    assert.deepEqual(
      rows.rows.map(row => [row.evidence.fields[0]?.value, row.count]),
      [
        ['x', 2],
        ['y', 1],
      ],
    )
    assert.equal(new Sightings(80 * minute, 3, rows.snapshot()).weight(), rows.weight())
  })

  test('a watch over its budget forgets the summary fields of what it told, the oldest episode first', () => {
    const fields = [{ name: 'userAgent', read: () => 'x'.repeat(256) }]
    const shown = rule('single', { kind: 'single' }, { dedupMs: 1, summaryFields: fields })
    const watch = new Watch(compileRule(shown, 0, 15 * minute), [])
    const trigger = { principal: call(0).principal, detectedAt: 0, input: null }
    for (const time of [0, minute, 2 * minute]) {
      const context = { zone: time - 15 * minute, trigger, principalHash: () => '0'.repeat(16), raise: () => undefined }
      watch.advance(time, context)
      watch.observe(call(time), context)
    }
    const kept = () => watch.snapshot().announcements.map(told => told.facts.samples[0]?.evidence.fields.length)
    const weight = watch.weight()
    watch.shed(weight)
    assert.deepEqual(kept(), [1, 1, 1])
    watch.shed(weight - 257)
    assert.deepEqual(kept(), [0, 1, 1])
    assert.equal(watch.weight(), weight - 256 - 8)
    watch.shed(0)
    assert.deepEqual(kept(), [0, 0, 0])
  })

  test('rows of alike events count them all, and rows beyond the cap keep the counts of their value', () => {
    const rows = new Sightings(80 * minute, 3)
    for (let i = 0; i < 10; i++) rows.add(call(i * minute), 'a')
    assert.deepEqual(
      rows.rows.map(r => [r.first, r.last, r.count]),
      [[0, 9 * minute, 10]],
    )
    for (const ip of ['1', '2', '3', '4']) rows.add(call(20 * minute, { sourceIPAddress: ip }), 'a')
    assert.equal(rows.rows.length, 3)
    assert.equal(
      rows.rows.reduce((sum, r) => sum + r.count, 0),
      14,
    )
    const weight = rows.weight()
    assert.equal(new Sightings(80 * minute, 3, rows.snapshot()).weight(), weight)
    rows.dropThrough(30 * minute)
    assert.equal(rows.weight(), 0)
  })
})
