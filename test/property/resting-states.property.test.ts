// States at rest against a plain map: whatever is appended, committed, discarded, deleted and moved between segments.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { RestingStates } from '../../src/detect/resting-states.ts'

const key = fc.nat(30).map(n => `p-${n}`)
/** Most are small; some fill a segment, some are larger than one. */
const size = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 1, max: 3000 }) },
  { weight: 2, arbitrary: fc.integer({ min: 50_000, max: 262_136 }) },
  { weight: 1, arbitrary: fc.integer({ min: 262_137, max: 400_000 }) },
)
const step = fc.oneof(
  { weight: 8, arbitrary: fc.record({ append: key, size, byte: fc.nat(255) }) },
  { weight: 3, arbitrary: fc.constant('commit' as const) },
  { weight: 1, arbitrary: fc.constant('discard' as const) },
  { weight: 1, arbitrary: fc.record({ remove: key }) },
  { weight: 1, arbitrary: fc.record({ put: key, size, byte: fc.nat(255) }) },
)

interface Kept {
  readonly size: number
  readonly byte: number
}

function check(states: RestingStates, name: string, expected: Kept | undefined): void {
  const found = states.get(name)
  if (expected === undefined) return assert.equal(found, null, name)
  assert.ok(found !== null, name)
  assert.equal(found.end - found.start, expected.size)
  const { bytes, start, end } = found
  assert.ok(bytes.subarray(start, end).equals(Buffer.alloc(expected.size, expected.byte)), `${name} has its bytes`)
}

test('states at rest are those of a map, however they lie in memory', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 30, maxLength: 200, size: 'max' }), steps => {
      const states = new RestingStates()
      const committed = new Map<string, Kept>()
      let open = new Map<string, Kept>()
      for (const of of steps) {
        if (of === 'commit') {
          states.commit()
          for (const [name, kept] of open) committed.set(name, kept)
          open = new Map()
        } else if (of === 'discard') {
          states.discard()
          open = new Map()
        } else if ('remove' in of) {
          if (open.size > 0) continue
          states.delete(of.remove)
          committed.delete(of.remove)
        } else if ('put' in of) {
          if (open.size > 0) continue
          states.put(of.put, Buffer.alloc(of.size, of.byte), of.size - of.byte)
          committed.set(of.put, { size: of.size, byte: of.byte })
        } else {
          states.append(of.append, Buffer.alloc(of.size, of.byte), of.size - of.byte)
          open.set(of.append, { size: of.size, byte: of.byte })
        }
        assert.equal(states.size, committed.size)
        assert.equal(
          states.bytes,
          [...committed.values()].reduce((sum, kept) => sum + kept.size, 0),
        )
      }
      for (let n = 0; n <= 30; n++) check(states, `p-${n}`, open.get(`p-${n}`) ?? committed.get(`p-${n}`))
      assert.deepEqual(
        new Map(states.maxTimes()),
        new Map([...committed].map(([name, kept]) => [name, kept.size - kept.byte])),
      )
    }),
    { numRuns: 150 },
  )
})

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** Bytes of buffers that somebody still holds. */
function held(): number {
  collect()
  return process.memoryUsage().arrayBuffers
}

test('records that count are kept in little more memory than they take', () => {
  const states = new RestingStates()
  const filled = Array.from({ length: 256 }, (_, byte) => Buffer.alloc(1700, byte))
  const before = held()
  for (let round = 0; round < 60; round++) {
    for (let n = 0; n < 4000; n++)
      states.append(`p-${n}`, filled[n & 255]!.subarray(0, 800 + ((n * 7 + round) % 900)), round)
    states.commit()
  }
  // 60 times 5 MB were written; what counts are 5 MB, and half of them again or 4 segments may be dead.
  const grown = held() - before
  assert.ok(grown < 20e6, `${grown} bytes`)
  assert.equal(states.size, 4000)
  for (let n = 0; n < 4000; n += 131) check(states, `p-${n}`, { size: 800 + ((n * 7 + 59) % 900), byte: n & 255 })
})
