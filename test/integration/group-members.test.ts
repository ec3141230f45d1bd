// Members of one group on a real broker: what a restart moves, members of an earlier version beside ours, foreign ones,
// and static members that come back, or come twice.
import assert from 'node:assert/strict'
import { after, afterEach, before, test } from 'node:test'
import type { PartitionAssigner } from 'kafkajs'
import type { TrailwardenError } from '../../src/errors.ts'
import { kafkaLog } from '../../src/kafka/kafka-log.ts'
import { kafkajs } from '../../src/kafka/kafkajs.ts'
import { topicAdmin } from '../../src/kafka/topics.ts'
import type { GroupConsumer, LogClient } from '../../src/log/log-client.ts'
import { uniqueName } from '../harness/kafka.ts'
import { eventually, lineOn } from '../harness/line.ts'
import { describeOnKafka } from '../harness/suite.ts'

const quiet = { debug() {}, info() {}, warn() {}, error() {} }
const sessionTimeoutMs = 6_000
const partitions = 6

/** One of our members, and what it has been told. */
interface Ours {
  readonly consumer: GroupConsumer
  readonly assignments: (readonly number[])[]
  readonly crashes: TrailwardenError[]
}

await describeOnKafka('members of a group', kafka => {
  const connection = { brokers: kafka.brokers, clientId: 'members-test' }
  const client = new kafkajs.Kafka({ ...connection, logLevel: kafkajs.logLevel.NOTHING })
  const admin = client.admin()
  let log: LogClient
  before(async () => {
    await admin.connect()
    log = await kafkaLog(connection, quiet)
  })
  after(async () => {
    await log.close()
    await admin.disconnect()
  })
  // Members end with their test: after the last one the broker is gone, and they would look for it.
  const opened: (() => Promise<unknown>)[] = []
  afterEach(async () => {
    await Promise.allSettled(opened.splice(0).map(close => close()))
  })

  async function newGroup(): Promise<{ group: string; topic: string }> {
    const topic = uniqueName('members')
    const topics = await topicAdmin(connection, quiet, null)
    await topics.apply([{ name: topic, partitions, replicationFactor: 1, config: {} }])
    await topics.close()
    // Leaders may still be without their logs: members would be told to look again, and join twice.
    await log.offsets(topic)
    return { group: uniqueName('group'), topic }
  }
  async function ours(group: string, topic: string, groupInstanceId?: string): Promise<Ours> {
    const own = await kafkaLog(connection, quiet, groupInstanceId === undefined ? {} : { groupInstanceId })
    const consumer = own.consumer({ group, topic, sessionTimeoutMs })
    const member: Ours = { consumer, assignments: [], crashes: [] }
    opened.push(() => consumer.stop().finally(() => own.close()))
    await consumer.start({
      assigned: mine => member.assignments.push(mine),
      batch: async () => undefined,
      crashed: error => member.crashes.push(error as TrailwardenError),
    })
    return member
  }
  /** A plain kafkajs consumer that knows only the assigners it is given. */
  async function theirs(group: string, topic: string, assigner: PartitionAssigner) {
    const consumer = client.consumer({
      ...{ groupId: group, sessionTimeout: sessionTimeoutMs, partitionAssigners: [assigner] },
      ...{ heartbeatInterval: 500, maxWaitTimeInMs: 250 },
    })
    opened.push(() => consumer.disconnect())
    await consumer.connect()
    await consumer.subscribe({ topics: [topic] })
    const joined = new Promise(resolve => consumer.on(consumer.events.GROUP_JOIN, resolve))
    await consumer.run({ eachBatch: async () => undefined })
    await joined
    return consumer
  }
  const held = (members: readonly Ours[]) => members.flatMap(({ assignments }) => assignments.at(-1) ?? []).sort()
  const all = Array.from({ length: partitions }, (_, partition) => partition)
  /** The assignments after which every partition has one owner and `met` holds. */
  const settled = (members: readonly Ours[], met: () => boolean = () => true) =>
    eventually(
      async () => held(members).join() === all.join() && met(),
      () => JSON.stringify(members),
      30_000,
    )
  const protocol = async (group: string) => (await admin.describeGroups([group])).groups[0]?.protocol

  test('a member that leaves gives away only its own partitions; one that comes takes only its share', async () => {
    const { group, topic } = await newGroup()
    const [a, b, c] = [await ours(group, topic), await ours(group, topic), await ours(group, topic)]
    await settled([a, b, c], () => c.assignments.length > 0)
    assert.equal(await protocol(group), 'trailwarden-sticky')
    const [beforeA, beforeB] = [a.assignments.at(-1) ?? [], b.assignments.at(-1) ?? []]
    assert.deepEqual([beforeA.length, beforeB.length], [2, 2])
    await c.consumer.stop()
    await settled([a, b])
    for (const [member, before] of [
      [a, beforeA],
      [b, beforeB],
    ] as const)
      assert.deepEqual(
        before.filter(partition => !member.assignments.at(-1)?.includes(partition)),
        [],
      )
    const [threeA, threeB] = [a.assignments.at(-1) ?? [], b.assignments.at(-1) ?? []]
    const again = await ours(group, topic)
    await settled([a, b, again], () => again.assignments.at(-1)?.length === 2)
    const moved = [...threeA, ...threeB].filter(partition => again.assignments.at(-1)?.includes(partition))
    assert.equal(moved.length, 2)
    for (const [member, before] of [
      [a, threeA],
      [b, threeB],
    ] as const)
      assert.equal(
        member.assignments.at(-1)?.every(partition => before.includes(partition)),
        true,
      )
  })

  test('a rolling upgrade: beside members of an earlier version ours share out as they do, then in the new way', async () => {
    const { group, topic } = await newGroup()
    const earlier = [
      await theirs(group, topic, kafkajs.PartitionAssigners.roundRobin),
      await theirs(group, topic, kafkajs.PartitionAssigners.roundRobin),
    ]
    const first = await ours(group, topic)
    assert.equal(await protocol(group), 'RoundRobinAssigner')
    assert.equal(first.assignments.at(-1)?.length, 2, 'it has its share beside the others')
    await earlier[0]?.disconnect()
    const second = await ours(group, topic)
    await eventually(
      async () => held([first, second]).length === 4,
      () => JSON.stringify([first, second]),
    )
    assert.equal(await protocol(group), 'RoundRobinAssigner')
    await earlier[1]?.disconnect()
    await settled([first, second])
    assert.equal(await protocol(group), 'trailwarden-sticky')
    assert.deepEqual([...first.crashes, ...second.crashes], [])
  })

  test('beside members that share out in a third way ours is refused, says so, and disturbs nobody', async () => {
    const { group, topic } = await newGroup()
    // What a Java consumer offers where nothing is configured: range first, and nothing that ours knows.
    const range: PartitionAssigner = config => ({
      ...kafkajs.PartitionAssigners.roundRobin(config),
      name: 'range',
      protocol: ({ topics }) => ({
        name: 'range',
        metadata: kafkajs.AssignerProtocol.MemberMetadata.encode({ version: 0, topics, userData: Buffer.alloc(0) }),
      }),
    })
    await theirs(group, topic, range)
    const refused = await ours(group, topic)
    await eventually(
      async () => refused.crashes.length > 0,
      () => 'it was not refused',
    )
    assert.deepEqual(
      refused.crashes.map(({ code, exit }) => [code, exit]),
      [['TW_GROUP_FOREIGN', 2]],
    )
    assert.match(refused.crashes[0]?.message ?? '', new RegExp(group))
    assert.deepEqual(refused.assignments, [])
    const { groups } = await admin.describeGroups([group])
    assert.deepEqual([groups[0]?.state, groups[0]?.members.length], ['Stable', 1])
  })

  test('a static member that stops and comes back has its partitions, and nobody else notices', async () => {
    const { group, topic } = await newGroup()
    const a = await ours(group, topic, 'a')
    const b = await ours(group, topic, 'b')
    await settled([a, b], () => b.assignments.length > 0)
    const mine = b.assignments.at(-1)
    const heard = a.assignments.length
    await b.consumer.stop()
    const again = await ours(group, topic, 'b')
    assert.deepEqual(again.assignments, [mine])
    // The other learns of a rebalance with its next heartbeat, within 1.5 s.
    await new Promise(resolve => setTimeout(resolve, 3_000))
    assert.equal(a.assignments.length, heard)
    // Who leads the group is replaced as well: the next rebalance must not wait for the one that is gone.
    const a2 = await ours(group, topic, 'a')
    const c = await ours(group, topic, 'c')
    await settled([a2, again, c], () => c.assignments.at(-1)?.length === 2)
    assert.deepEqual(again.crashes, [])
  })

  test('of two processes with one instance id the later stays, the earlier ends with TW_INSTANCE_FENCED', async () => {
    const { group, topic } = await newGroup()
    const first = await ours(group, topic, 'same')
    await settled([first])
    const second = await ours(group, topic, 'same')
    await eventually(
      async () => first.crashes.length > 0,
      () => 'the first goes on',
    )
    assert.deepEqual(
      first.crashes.map(({ code }) => code),
      ['TW_INSTANCE_FENCED'],
    )
    assert.deepEqual(second.assignments, [all])
    assert.deepEqual(second.crashes, [])
  })

  test('a detector whose place is taken ends with exit code 3 and says why; the one that took it goes on', async t => {
    const line = await lineOn(kafka, t)
    const id = { KAFKA_GROUP_INSTANCE_ID: 'detect-0' }
    const first = line.start(['detect'], id)
    const isReady = async (port: number) => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 200
    const port = await first.port()
    await eventually(
      () => isReady(port),
      () => first.seen(),
    )
    const second = line.start(['detect'], id)
    const { code, stderr } = await first.finished
    assert.equal(code, 3)
    assert.match(stderr, /TW_INSTANCE_FENCED/)
    assert.match(stderr, /KAFKA_GROUP_INSTANCE_ID/)
    const newPort = await second.port()
    await eventually(
      () => isReady(newPort),
      () => second.seen(),
    )
    second.child.kill('SIGTERM')
    assert.equal((await second.finished).code, 0)
  })
})
