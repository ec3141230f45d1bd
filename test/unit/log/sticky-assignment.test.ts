// The sticky assignment by hand: shares, what members keep, and what becomes of claims that contradict each other.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assignTopics } from '../../../src/log/sticky-assignment.ts'
import type { StickyMember } from '../../../src/log/sticky-assignment.ts'

const member = (id: string, owned: Record<string, number[]> = {}, generation = 1, topics = ['t']): StickyMember => ({
  ...{ id, topics, generation },
  owned: new Map(Object.entries(owned)),
})
const plain = (assigned: ReturnType<typeof assignTopics>) =>
  Object.fromEntries([...assigned].map(([id, share]) => [id, Object.fromEntries(share)]))
const assign = (members: StickyMember[], counts: Record<string, number> = { t: 6 }) =>
  plain(assignTopics(members, new Map(Object.entries(counts))))

test('a new group shares evenly, in order of the ids', () => {
  assert.deepEqual(assign([member('b'), member('a'), member('c')], { t: 7 }), {
    a: { t: [0, 1, 6] },
    b: { t: [2, 3] },
    c: { t: [4, 5] },
  })
})

test('one member goes: the others keep all they had', () => {
  assert.deepEqual(assign([member('a', { t: [0, 3] }), member('b', { t: [1, 4] })]), {
    a: { t: [0, 2, 3] },
    b: { t: [1, 4, 5] },
  })
})

test('one member comes: it gets its share and nothing else moves', () => {
  assert.deepEqual(assign([member('a', { t: [0, 2, 4] }), member('b', { t: [1, 3, 5] }), member('new')]), {
    a: { t: [0, 2] },
    b: { t: [1, 3] },
    new: { t: [4, 5] },
  })
})

test('partitions are added: the old ones stay where they are', () => {
  assert.deepEqual(assign([member('a', { t: [0, 2] }), member('b', { t: [1, 3] })], { t: 6 }), {
    a: { t: [0, 2, 4] },
    b: { t: [1, 3, 5] },
  })
})

test('of two claims on a partition the newer generation wins, at the same age the smaller id', () => {
  // z was away for a while and still believes in its old assignment.
  assert.deepEqual(assign([member('a', { t: [0, 1] }, 5), member('z', { t: [0, 1] }, 4)], { t: 4 }), {
    a: { t: [0, 1] },
    z: { t: [2, 3] },
  })
  assert.deepEqual(assign([member('a', { t: [0, 1] }, 4), member('z', { t: [0, 1] }, 5)], { t: 4 }), {
    a: { t: [2, 3] },
    z: { t: [0, 1] },
  })
  assert.deepEqual(assign([member('z', { t: [0] }), member('a', { t: [0] })], { t: 2 }), {
    a: { t: [0] },
    z: { t: [1] },
  })
})

test('a member that claims everything, or what does not exist, gets its share and no more', () => {
  const liar = member('a', { t: [0, 1, 2, 3, 4, 5, 6, 7, -1, 2.5, Number.NaN, 0], other: [0] }, 99)
  assert.deepEqual(assign([liar, member('b', { t: [0, 1, 2] })]), { a: { t: [0, 1, 2] }, b: { t: [3, 4, 5] } })
})

test('more members than partitions: every member has an entry, some an empty one', () => {
  assert.deepEqual(assign([member('a'), member('b', { t: [0] }), member('c')], { t: 1 }), {
    a: { t: [] },
    b: { t: [0] },
    c: { t: [] },
  })
})

test('several topics: each is shared by those who read it, and the larger shares go round', () => {
  const members = [member('a', {}, 1, ['t', 'u']), member('b', {}, 1, ['u', 't']), member('c', {}, 1, ['u'])]
  assert.deepEqual(assign(members, { t: 3, u: 4, unread: 5 }), {
    a: { t: [0, 2], u: [2] },
    b: { t: [1], u: [1] },
    c: { u: [0, 3] },
  })
})

test('nobody, or nothing to share', () => {
  assert.deepEqual(assign([]), {})
  assert.deepEqual(assign([member('a')], { t: 0 }), { a: { t: [] } })
})
