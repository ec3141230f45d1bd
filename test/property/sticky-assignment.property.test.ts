// The sticky assignment over random groups: complete, balanced, deterministic, and no assignment that is as balanced
// would move fewer partitions.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { assignPartitions, assignTopics } from '../../src/log/sticky-assignment.ts'
import type { StickyMember } from '../../src/log/sticky-assignment.ts'

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i)
const sorted = (partitions: readonly number[]) => [...partitions].sort((a, b) => a - b)

/** Members with whatever claims: overlapping, of any generation, on partitions that do not exist. */
const group = fc.record({
  counts: fc.dictionary(fc.constantFrom('t', 'u', 'v'), fc.integer({ min: 0, max: 12 })),
  members: fc.uniqueArray(
    fc.record({
      id: fc.string({ minLength: 1, maxLength: 4 }),
      topics: fc.subarray(['t', 'u', 'v']),
      owned: fc.dictionary(
        fc.constantFrom('t', 'u', 'x'),
        fc.array(fc.integer({ min: -2, max: 14 }), { maxLength: 9 }),
      ),
      generation: fc.integer({ min: -1, max: 5 }),
    }),
    { selector: member => member.id, maxLength: 6 },
  ),
})
type Group = typeof group extends fc.Arbitrary<infer T> ? T : never
const membersOf = ({ members }: Group): StickyMember[] =>
  members.map(member => ({ ...member, owned: new Map(Object.entries(member.owned)) }))
const assign = (members: readonly StickyMember[], counts: Group['counts']) =>
  assignTopics(members, new Map(Object.entries(counts)))

test('whatever members claim, every partition has exactly one owner who reads its topic, and shares differ by one at most', () => {
  fc.assert(
    fc.property(group, drawn => {
      const members = membersOf(drawn)
      const assigned = assign(members, drawn.counts)
      assert.deepEqual([...assigned.keys()].sort(), members.map(({ id }) => id).sort())
      for (const [topic, count] of Object.entries(drawn.counts)) {
        const readers = members.filter(({ topics }) => topics.includes(topic))
        const shares = members.map(({ id }) => assigned.get(id)?.get(topic) ?? [])
        assert.deepEqual(sorted(shares.flat()), readers.length === 0 ? [] : upTo(count))
        const sizes = readers.map(({ id }) => assigned.get(id)?.get(topic)?.length ?? -1)
        if (sizes.length > 0) assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1, `shares ${sizes.join(' ')}`)
        for (const [index, { topics }] of members.entries())
          if (!topics.includes(topic)) assert.deepEqual(shares[index], [])
      }
    }),
    { numRuns: 1000 },
  )
})

test('the same members in another order, with their claims in another order, get the same', () => {
  fc.assert(
    fc.property(group, fc.nat(), (drawn, turn) => {
      const members = membersOf(drawn)
      const other = members
        .map(member => ({
          ...member,
          owned: new Map([...member.owned].reverse().map(([t, p]) => [t, [...p].reverse()])),
        }))
        .map((member, index) => ({ member, at: (index * 7 + turn) % 5 }))
        .sort((a, b) => a.at - b.at)
        .map(({ member }) => member)
      assert.deepEqual(assign(other, drawn.counts), assign(members, drawn.counts))
    }),
  )
})

/** Every way to give `count` partitions to members with shares that differ by one at most: the most that anybody can keep. */
function mostKept(count: number, owned: readonly (readonly number[])[]): number {
  const least = Math.floor(count / owned.length)
  let most = 0
  const sizes = owned.map(() => 0)
  const place = (partition: number, kept: number): void => {
    if (partition === count) {
      if (Math.max(...sizes) - Math.min(...sizes) <= 1) most = Math.max(most, kept)
      return
    }
    for (const [member, before] of owned.entries()) {
      if ((sizes[member] ?? 0) > least) continue
      sizes[member] = (sizes[member] ?? 0) + 1
      place(partition + 1, kept + (before.includes(partition) ? 1 : 0))
      sizes[member] = (sizes[member] ?? 0) - 1
    }
  }
  place(0, 0)
  return most
}

test('no assignment that is as balanced keeps more partitions where they are (all of them tried)', () => {
  const before = fc
    .tuple(fc.integer({ min: 1, max: 4 }), fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 7 }))
    .map(([members, owners]) => {
      // Owner `members` stands for nobody: partitions of a member that left, or new ones.
      const owned = upTo(members).map(() => [] as number[])
      owners.forEach((owner, partition) => owned[owner]?.push(partition))
      return { count: owners.length, owned }
    })
  fc.assert(
    fc.property(before, ({ count, owned }) => {
      const after = assignPartitions(count, owned)
      const kept = after.map((partitions, i) => partitions.filter(partition => owned[i]?.includes(partition)).length)
      assert.equal(
        kept.reduce((sum, n) => sum + n, 0),
        mostKept(count, owned),
      )
      after.forEach((partitions, i) => {
        assert.equal(kept[i], Math.min(owned[i]?.length ?? 0, partitions.length), 'who gains keeps all it had')
      })
    }),
    { numRuns: 300 },
  )
})

/** What each member of a balanced group sends with its next join. */
function joining(assigned: ReturnType<typeof assignTopics>, generation: number): StickyMember[] {
  return [...assigned].map(([id, owned]) => ({ id, topics: ['t'], owned, generation }))
}

test('through any joins and leaves: who stays loses only what balance takes, and a leave moves only the orphans', () => {
  const changes = fc.array(fc.oneof(fc.constant('join' as const), fc.nat({ max: 9 })), { maxLength: 12 })
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 24 }), changes, (count, drawn) => {
      const counts = { t: count }
      let assigned = assign([{ id: 'm0', topics: ['t'], owned: new Map(), generation: -1 }], counts)
      let born = 1
      let generation = 1
      for (const change of drawn) {
        let members = joining(assigned, generation++)
        if (change === 'join') members.push({ id: `m${born++}`, topics: ['t'], owned: new Map(), generation: -1 })
        else if (members.length > 1) members = members.filter((_, index) => index !== change % members.length)
        const next = assign(members, counts)
        const moved = members.flatMap(({ id, owned }) =>
          (owned.get('t') ?? []).filter(partition => !next.get(id)?.get('t')?.includes(partition)),
        )
        assert.equal(moved.length, change === 'join' ? Math.floor(count / members.length) : 0)
        assigned = next
      }
    }),
    { numRuns: 300 },
  )
})
