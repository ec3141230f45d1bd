// Static membership on kafkajs' own Broker: what its requests say with the correction and without it, and no leaving.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { joinAsStaticMember } from '../../../../src/kafka/corrections/static-membership.ts'
import type { CoordinatorCluster } from '../../../../src/kafka/corrections/static-membership.ts'
import { original } from '../encoded-batches.ts'

interface Sent {
  readonly request: { readonly apiName: string; encode(): Promise<{ readonly buffer: Buffer }> }
}
interface Broker {
  lookupRequest: unknown
  joinGroup(request: object): Promise<unknown>
  syncGroup(request: object): Promise<unknown>
  heartbeat(request: object): Promise<unknown>
  leaveGroup(request: object): Promise<unknown>
  offsetCommit(request: object): Promise<unknown>
}
const BrokerClass = original<new (options: object) => Broker>('broker/index')
const { lookup } = original<{ lookup: (versions: object) => unknown }>('protocol/requests/index')
const versions = Object.fromEntries([8, 11, 12, 13, 14].map(key => [key, { minVersion: 0, maxVersion: 9 }]))

/** kafkajs' Broker whose connection keeps what is sent, and a Cluster that finds it. */
function cluster() {
  const sent: Sent[] = []
  const connectionPool = { send: async (request: Sent) => void sent.push(request) }
  const logger = { namespace: () => logger, debug() {}, info() {}, warn() {}, error() {} }
  const broker = new BrokerClass({ connectionPool, logger })
  broker.lookupRequest = lookup(versions)
  const found: CoordinatorCluster = { findGroupCoordinator: async () => broker }
  return { sent, found, broker }
}

async function talk(found: CoordinatorCluster, sent: Sent[]) {
  const coordinator = (await found.findGroupCoordinator({ groupId: 'g' })) as Broker
  const member = { groupId: 'g', memberId: 'me', generationId: 1 }
  await coordinator.joinGroup({ ...member, sessionTimeout: 1, rebalanceTimeout: 1, groupProtocols: [] })
  await coordinator.syncGroup({ ...member, groupAssignment: [] })
  await coordinator.heartbeat({ ...member, groupGenerationId: 1 })
  await coordinator.offsetCommit({ ...member, groupGenerationId: 1, topics: [] })
  await coordinator.leaveGroup(member)
  const said = async ({ request }: Sent) => (await request.encode()).buffer.includes('detect-0')
  return Promise.all(sent.map(async one => [one.request.apiName, await said(one)]))
}

test('join, sync and heartbeat are made in the name of the instance; it does not leave', async () => {
  const { found, sent } = cluster()
  joinAsStaticMember(found, 'detect-0')
  assert.deepEqual(await talk(found, sent), [
    ['JoinGroup', true],
    ['SyncGroup', true],
    ['Heartbeat', true],
    ['OffsetCommit', false],
  ])
})

test('without it nothing names an instance, and the member leaves', async () => {
  const { found, sent } = cluster()
  assert.deepEqual(await talk(found, sent), [
    ['JoinGroup', false],
    ['SyncGroup', false],
    ['Heartbeat', false],
    ['OffsetCommit', false],
    ['LeaveGroup', false],
  ])
})

test('a broker that connects again, with another lookup, is asked in the new way', async () => {
  const { found, sent, broker } = cluster()
  joinAsStaticMember(found, 'detect-0')
  const coordinator = (await found.findGroupCoordinator({ groupId: 'g' })) as Broker
  broker.lookupRequest = lookup({ ...versions, 12: { minVersion: 0, maxVersion: 2 } })
  await coordinator.heartbeat({ groupId: 'g', memberId: 'me', groupGenerationId: 1 })
  assert.equal((sent[0]?.request as unknown as { apiVersion: number }).apiVersion, 2)
})
