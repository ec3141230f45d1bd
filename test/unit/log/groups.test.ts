// The group coordinator: balance and stickiness of assignments, generations, refusal of stale members.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignPartitions, GroupCoordinator } from '../../../src/log/groups.ts'
import type { Member } from '../../../src/log/groups.ts'

interface Heard extends Member {
  readonly heard: [number, readonly number[]][]
}

function member(topic = 'topic'): Heard {
  const heard: Heard['heard'] = []
  return { topic, heard, rebalanced: (generation, partitions) => void heard.push([generation, partitions]) }
}

const code = (expected: string) => (error: unknown) =>
  error instanceof Error && 'code' in error && error.code === expected

test('members come and go: generations rise, partitions are shared, owners keep what they can', () => {
  const groups = new GroupCoordinator(() => 5)
  const [a, b, c] = [member(), member(), member()]
  groups.join('g', a)
  groups.join('g', b)
  groups.join('g', c)
  assert.deepEqual(a.heard, [
    [1, [0, 1, 2, 3, 4]],
    [2, [0, 1, 2]],
    [3, [0, 1]],
  ])
  assert.deepEqual(b.heard, [
    [2, [3, 4]],
    [3, [3, 4]],
  ])
  assert.deepEqual(c.heard, [[3, [2]]])
  groups.leave('g', a)
  assert.deepEqual(
    [b.heard.at(-1), c.heard.at(-1)],
    [
      [4, [1, 3, 4]],
      [4, [0, 2]],
    ],
  )
  groups.leave('g', a)
  assert.equal(b.heard.length, 3, 'who is no member changes nothing')
})

test('a member of an older generation, and one that was given up, are refused', () => {
  const groups = new GroupCoordinator(() => 2)
  const [a, b] = [member(), member()]
  groups.join('g', a)
  groups.check('g', a, 1)
  groups.join('g', b)
  assert.throws(() => groups.check('g', a, 1), code('TW_REBALANCED'))
  groups.check('g', a, 2)
  groups.leave('g', a)
  assert.throws(() => groups.check('g', a, 3), code('TW_REBALANCED'))
})

test('committed offsets belong to group, topic and partition, and may be set back', () => {
  const groups = new GroupCoordinator(() => 2)
  groups.commit('g', 'topic', 1, 7)
  assert.equal(groups.committed('g', 'topic', 1), 7)
  for (const [group, topic, partition] of [
    ['h', 'topic', 1],
    ['g', 'other', 1],
    ['g', 'topic', 0],
  ] as const)
    assert.equal(groups.committed(group, topic, partition), null)
  groups.commit('g', 'topic', 1, 3)
  assert.equal(groups.committed('g', 'topic', 1), 3)
})

test('members on different topics share a group but not partitions', () => {
  const groups = new GroupCoordinator(topic => (topic === 'two' ? 2 : 1))
  const [a, b] = [member('two'), member('one')]
  groups.join('g', a)
  groups.join('g', b)
  assert.deepEqual(
    [a.heard.at(-1), b.heard.at(-1)],
    [
      [2, [0, 1]],
      [2, [0]],
    ],
  )
})

test('an assignment is complete, balanced, and moves no more than balance asks for', () => {
  const before = fc
    .tuple(fc.integer({ min: 1, max: 5 }), fc.array(fc.integer({ min: 0, max: 5 }), { maxLength: 12 }))
    .map(([members, owners]) => {
      // Owner `members` stands for nobody: partitions of a member that left.
      const owned = Array.from({ length: members }, () => [] as number[])
      owners.forEach((owner, partition) => owned[owner]?.push(partition))
      return { count: owners.length, owned }
    })
  fc.assert(
    fc.property(before, ({ count, owned }) => {
      const after = assignPartitions(count, owned)
      assert.deepEqual(
        after.flat().sort((a, b) => a - b),
        Array.from({ length: count }, (_, i) => i),
      )
      const sizes = after.map(partitions => partitions.length)
      assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `balanced: ${sizes.join(' ')}`)
      after.forEach((partitions, i) => {
        const had = owned[i] ?? []
        const kept = partitions.filter(partition => had.includes(partition)).length
        assert.equal(kept, Math.min(had.length, partitions.length), 'a member gains only when it keeps all it had')
      })
    }),
    { numRuns: 500 },
  )
})
