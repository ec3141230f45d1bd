// The behaviours of the LogClient port, as tests that run against any implementation: the in-process log in the unit
// tests, Kafka in the integration tests. What passes on both is what the pipeline may rely on.
import { after, before, describe, test } from 'node:test'
import type { LogClient } from '../../src/log/log-client.ts'
import type { ConformanceCluster } from './conformance-cluster.ts'
import { groupBehaviours } from './conformance-groups.ts'
import { recordBehaviours } from './conformance-records.ts'
import { transactionBehaviours } from './conformance-transactions.ts'

/** What one behaviour works with: a cluster, and two clients of it that stand for two processes. */
export interface ConformanceContext {
  readonly cluster: ConformanceCluster
  readonly client: LogClient
  readonly other: LogClient
}

/** A sentence of the contract, and the steps that show it. */
export type Behaviour = readonly [sentence: string, show: (context: ConformanceContext) => Promise<void>]

/** Declares the whole table for one implementation. The cluster is made before the first test. */
export function logConformance(name: string, makeCluster: () => Promise<ConformanceCluster>): void {
  describe(`LogClient conformance: ${name}`, () => {
    let context: ConformanceContext | undefined
    before(async () => {
      const cluster = await makeCluster()
      context = { cluster, client: await cluster.client(), other: await cluster.client() }
    })
    after(async () => {
      await context?.client.close()
      await context?.other.close()
    })
    for (const [sentence, show] of [...recordBehaviours, ...groupBehaviours, ...transactionBehaviours])
      test(sentence, { timeout: 60_000 }, async () => show(context!))
  })
}
