// The group coordinator: generations, who owns what over joins and leaves, refusal of stale members.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GroupCoordinator } from '../../../src/log/groups.ts'
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
