// Joining while the coordinator loads, and heartbeats after it moved.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { followingCoordinator, joiningPatiently, ownedBy } from '../../../../src/kafka/corrections/group-coordinator.ts'
import type { JoinedGroup } from '../../../../src/kafka/corrections/group-coordinator.ts'
import { original } from '../encoded-batches.ts'

const { createErrorFromCode } = original<{ readonly createErrorFromCode: (code: number) => Error }>('protocol/error')
const ConsumerGroupClass =
  original<new (options: object) => JoinedGroup & { joinAndSync(): Promise<void> }>('consumer/consumerGroup')
const { MemberAssignment } = original<{ readonly MemberAssignment: { encode(assignment: object): Buffer } }>(
  'consumer/assignerProtocol',
)
const loading = 14
const notCoordinator = 16

/** kafkajs' own ConsumerGroup on a cluster whose coordinator answers the first `refusals` joins with `code`. */
function groupWith(code: number, refusals: number) {
  let joins = 0
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }
  const coordinator = {
    async joinGroup() {
      if (joins++ < refusals) throw createErrorFromCode(code)
      return { generationId: 7, leaderId: 'other', memberId: 'me', members: [], groupProtocol: 'p' }
    },
    syncGroup: async () => ({
      memberAssignment: MemberAssignment.encode({ version: 0, assignment: { t: [0, 2] } }),
    }),
  }
  const cluster = {
    findGroupCoordinator: async () => coordinator,
    async refreshMetadata() {},
    findTopicPartitionMetadata: () => [{ partitionId: 0 }, { partitionId: 2 }],
    committedOffsets: () => ({}),
  }
  const instrumentationEmitter = { emit() {} }
  const options = { cluster, logger, instrumentationEmitter, groupId: 'g', topics: ['t'], assigners: [] }
  const group = new ConsumerGroupClass({ ...options, retry: { initialRetryTime: 1 } })
  return { group, joins: () => joins }
}

test('a member joins once the coordinator has loaded; the original gives up at the first answer', async () => {
  await assert.rejects(groupWith(loading, 1).group.joinAndSync(), { type: 'GROUP_LOAD_IN_PROGRESS' })
  const { group, joins } = groupWith(loading, 3)
  const join = joiningPatiently(ConsumerGroupClass.prototype.joinAndSync as never, { joinForMs: 5_000, everyMs: 1 })
  await join.call(group)
  assert.equal(joins(), 4)
})

test('after a join it is known what was assigned and in which generation; a join that fails changes nothing', async () => {
  const join = joiningPatiently(ConsumerGroupClass.prototype.joinAndSync as never, { joinForMs: 0, everyMs: 1 })
  const { group } = groupWith(loading, 0)
  assert.equal(ownedBy(group.cluster), undefined)
  await join.call(group)
  assert.deepEqual(ownedBy(group.cluster), { generation: 7, partitions: new Map([['t', [0, 2]]]) })
  const failing = groupWith(30, 99)
  await assert.rejects(join.call(failing.group))
  assert.equal(ownedBy(failing.group.cluster), undefined)
})

test('an answer that will not change, or that lasts too long, ends it', async () => {
  const unauthorized = groupWith(30, 99)
  const join = joiningPatiently(ConsumerGroupClass.prototype.joinAndSync as never, { joinForMs: 30, everyMs: 5 })
  await assert.rejects(join.call(unauthorized.group), { type: 'GROUP_AUTHORIZATION_FAILED' })
  assert.equal(unauthorized.joins(), 1)
  await assert.rejects(join.call(groupWith(loading, 10_000).group), { type: 'GROUP_LOAD_IN_PROGRESS' })
})

test('a heartbeat that finds no coordinator learns where it is and still fails; a rebalance is left to the runner', async () => {
  let lookups = 0
  const group = {
    groupId: 'g',
    coordinator: 'old' as unknown,
    offsetManager: { coordinator: 'old' as unknown },
    cluster: {
      async refreshMetadata() {},
      async findGroupCoordinator() {
        lookups++
        return 'new'
      },
    },
  }
  const failing = (code: number) => followingCoordinator(() => Promise.reject(createErrorFromCode(code)))
  await assert.rejects(failing(27).call(group, { interval: 1 }), { type: 'REBALANCE_IN_PROGRESS' })
  assert.equal(lookups, 0)
  await assert.rejects(failing(notCoordinator).call(group, { interval: 1 }), { type: 'NOT_COORDINATOR_FOR_GROUP' })
  assert.deepEqual([group.coordinator, group.offsetManager.coordinator, lookups], ['new', 'new', 1])
})
