// How an integration test file asks for Kafka: one call that starts it, stops it, and skips loudly where there is none.
// Under `npm test` every file gets the one cluster that scripts/test.mjs started; run alone, a file starts its own.
import { after, describe, test } from 'node:test'
import type { TestContext } from 'node:test'
import { kafkaForTests } from './kafka.ts'
import { NoKafkaError } from './cluster.ts'
import type { KafkaForTests, KafkaOptions } from './cluster.ts'

/**
 * A suite that needs Kafka: `await describeOnKafka('restore', kafka => { test(...) })`. Stops it after the last test.
 * Without any Kafka the suite is one skipped test that says why, or an error when REQUIRE_KAFKA=1.
 */
export async function describeOnKafka(
  name: string,
  body: (kafka: KafkaForTests) => void,
  options: KafkaOptions = {},
): Promise<void> {
  let kafka: KafkaForTests
  try {
    kafka = await kafkaForTests(options)
  } catch (error) {
    if (!(error instanceof NoKafkaError) || process.env['REQUIRE_KAFKA'] === '1') throw error
    test(name, { skip: error.message })
    return
  }
  describe(name, () => {
    after(() => kafka.stop())
    body(kafka)
  })
}

/** Skips a test for want of a tool, with the reason; fails where everything is required, as CI does by REQUIRE_KAFKA=1. */
export function skipWithout(t: Pick<TestContext, 'skip'>, tool: string, reason: unknown): void {
  const [first = ''] = (reason instanceof Error ? reason.message : String(reason)).split('\n')
  const missing = `no ${tool}: ${first}`
  if (process.env['REQUIRE_KAFKA'] === '1') throw new Error(missing, { cause: reason })
  t.skip(missing)
}
