// Static membership (KIP-345) for a kafkajs consumer. Why: kafkajs encodes group.instance.id in JoinGroup, SyncGroup,
// Heartbeat and LeaveGroup, but its consumer never gives one. Put around the coordinator of one consumer rather than into
// a prototype: whoever does not ask for it talks to the broker as before.

/** kafkajs' lookup of a request in the version that the broker knows: api key and definition to a request factory. */
type Lookup = (apiKey: number, definition: unknown) => (request: object) => unknown

/** The fields of kafkajs' Broker that the requests of a group go through. */
export interface CoordinatorBroker {
  readonly lookupRequest: Lookup
  leaveGroup(member: object): Promise<unknown>
}

/** The fields of kafkajs' Cluster that finding a coordinator needs. */
export interface CoordinatorCluster {
  findGroupCoordinator(group: { readonly groupId: string }): Promise<unknown>
}

// https://kafka.apache.org/protocol#protocol_api_keys: JoinGroup, Heartbeat, SyncGroup.
const memberRequests: ReadonlySet<number> = new Set([11, 12, 14])

/**
 * Makes the consumer that owns this Cluster a static member. A process that comes back with the same id within the
 * session takes the place of the one before at once, without a rebalance; the one before is refused with
 * FENCED_INSTANCE_ID (82) from then on. It never leaves: a clean stop is a restart until the session ends.
 */
export function joinAsStaticMember(cluster: CoordinatorCluster, groupInstanceId: string): void {
  const find = cluster.findGroupCoordinator.bind(cluster)
  cluster.findGroupCoordinator = async group => staticView((await find(group)) as CoordinatorBroker, groupInstanceId)
}

/** The broker with its own connection and state, asked in the name of the instance. */
function staticView(broker: CoordinatorBroker, groupInstanceId: string): CoordinatorBroker {
  // Looked up at every call: kafkajs replaces the function when it connects again.
  const lookupRequest: Lookup = (apiKey, definition) => {
    const create = broker.lookupRequest(apiKey, definition)
    return memberRequests.has(apiKey) ? request => create({ ...request, groupInstanceId }) : create
  }
  return Object.create(broker, {
    lookupRequest: { value: lookupRequest },
    leaveGroup: { value: async () => undefined },
  }) as CoordinatorBroker
}
