// The assignor as kafkajs calls it, and the layout of what members send: their ownership goes out with the join, comes
// back at the leader, and garbage in its place claims nothing.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Cluster } from 'kafkajs'
import { decodeOwnership, encodeOwnership, stickyAssignor } from '../../../src/kafka/assignor.ts'
import { kafkajs } from '../../../src/kafka/kafkajs.ts'

const { MemberMetadata, MemberAssignment } = kafkajs.AssignerProtocol

/** kafkajs' Cluster as the assignor uses it; topics of `later` are known only once they are asked for. */
function assignorOn(counts: Record<string, number>, later: Record<string, number> = {}) {
  const known = new Map(Object.entries(counts))
  const cluster = {
    async addTargetTopic(topic: string) {
      if (!(topic in later)) throw new Error('UNKNOWN_TOPIC_OR_PARTITION')
      known.set(topic, later[topic] ?? 0)
    },
    findTopicPartitionMetadata: (topic: string) => Array.from({ length: known.get(topic) ?? 0 }),
  }
  return stickyAssignor({ cluster: cluster as unknown as Cluster, groupId: 'g', logger: null as never })
}

const metadata = (topics: string[], generation: number, owned: Record<string, number[]>) =>
  MemberMetadata.encode({
    ...{ version: 0, topics },
    userData: encodeOwnership({ generation, partitions: new Map(Object.entries(owned)) }),
  })

async function assigned(assignor: ReturnType<typeof assignorOn>, members: Record<string, Buffer>, topics = ['t']) {
  const answer = await assignor.assign({
    members: Object.entries(members).map(([memberId, memberMetadata]) => ({ memberId, memberMetadata })),
    topics,
  })
  return Object.fromEntries(
    answer.map(({ memberId, memberAssignment }) => [
      memberId,
      { ...MemberAssignment.decode(memberAssignment)?.assignment },
    ]),
  )
}

test('a member that owns nothing yet says so in a join that every consumer understands', () => {
  const { name, metadata: sent } = assignorOn({ t: 4 }).protocol({ topics: ['t'] })
  assert.equal(name, 'trailwarden-sticky')
  const decoded = MemberMetadata.decode(sent)
  assert.deepEqual(decoded?.topics, ['t'])
  assert.deepEqual(decodeOwnership(decoded.userData), { generation: -1, partitions: new Map() })
})

test('the layout of what a member sends is the one of the Java client', () => {
  const bytes = encodeOwnership({ generation: 3, partitions: new Map([['ab', [0, 258]]]) })
  assert.equal(bytes.toString('hex'), '00000001' + '00026162' + '00000002' + '00000000' + '00000102' + '00000003')
  assert.deepEqual(decodeOwnership(bytes), { generation: 3, partitions: new Map([['ab', [0, 258]]]) })
})

test('anything else claims nothing: every shortening, every longer form, lengths that lie', () => {
  const bytes = encodeOwnership({ generation: 3, partitions: new Map([['ab', [0, 258]]]) })
  for (let length = 0; length < bytes.length; length++) assert.equal(decodeOwnership(bytes.subarray(0, length)), null)
  assert.equal(decodeOwnership(Buffer.concat([bytes, Buffer.from([0])])), null)
  for (const hex of [
    '7fffffff',
    '000000010002616270000000',
    '00000001ffff0000000000000000',
    '0000000100026162ffffffff00000001',
  ])
    assert.equal(decodeOwnership(Buffer.from(hex, 'hex')), null, hex)
})

test('members keep what they owned; a newcomer gets its share', async () => {
  const members = {
    a: metadata(['t'], 4, { t: [1, 3, 5] }),
    b: metadata(['t'], 4, { t: [0, 2, 4] }),
    c: metadata(['t'], -1, {}),
  }
  assert.deepEqual(await assigned(assignorOn({ t: 6 }), members), {
    a: { t: [1, 3] },
    b: { t: [0, 2] },
    c: { t: [4, 5] },
  })
})

test('members of another mind do not bring the leader down', async () => {
  const members = {
    a: MemberMetadata.encode({ version: 0, topics: ['t'], userData: Buffer.from('what is this') }),
    b: Buffer.from('00', 'hex'),
    c: metadata(['t'], 4, { t: [0, 1, 2, 99] }),
  }
  assert.deepEqual(await assigned(assignorOn({ t: 4 }), members), { a: { t: [2, 3] }, b: {}, c: { t: [0, 1] } })
})

test('a topic that only another member reads is looked up; one that does not exist is left out', async () => {
  const members = { a: metadata(['t'], -1, {}), b: metadata(['u', 'gone'], -1, {}) }
  assert.deepEqual(await assigned(assignorOn({ t: 2 }, { u: 1 }), members), { a: { t: [0, 1] }, b: { u: [0] } })
})
