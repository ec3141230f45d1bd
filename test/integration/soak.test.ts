// The short form of `npm run soak`: the whole line at a set rate while the broker is restarted. Half a minute says nothing of
// memory, which the hour in docs/benchmarks.md is for; it says that both processes live on, that nothing is missing, that no
// descriptor leaks and that the input is worked off. It starts a broker of its own, because it restarts it.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { soak } from '../../bench/soak.ts'
import { NoKafkaError } from '../harness/cluster.ts'

test('half a minute with a restart of the broker: processes, descriptors, lag and completeness', async t => {
  try {
    const { table, problems, sent, restarts } = await soak(
      { minutes: 0.6, rate: 100, restartEvery: 0.25, distinct: 300, judgeGrowth: false },
      line => t.diagnostic(line),
    )
    for (const line of table.split('\n')) t.diagnostic(line)
    assert.deepEqual(problems, [])
    assert.equal(restarts, 1)
    // 3600 are due; a broker that takes long to come back holds the sender back, and what is due at the end is not sent.
    assert.ok(sent >= 1_000, `${sent} records`)
  } catch (error) {
    if (!(error instanceof NoKafkaError) || process.env['REQUIRE_KAFKA'] === '1') throw error
    t.skip(error.message)
  }
})
