// Exactly once, under faults drawn from seeds: whatever is killed, frozen, fenced, failed, lost, rebalanced or compacted,
// the alerts, the state, the dead letters and the positions are those of one straight run of the same input.
// `npm run simulate:faults` runs more seeds; a failing one is replayed with `--from <seed> --count 1`.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { simulate } from '../harness/simulator-run.ts'

const runs = 20
const seedsPerRun = 100
let alerts = 0
let faults = 0

for (let run = 0; run < runs; run++) {
  const from = 1 + run * seedsPerRun
  test(`seeds ${from} to ${from + seedsPerRun - 1} end as a straight run does`, async () => {
    for (let seed = from; seed < from + seedsPerRun; seed++) {
      const result = await simulate(seed)
      const last = result.recent.slice(-25).join('\n  ')
      assert.equal(result.failure, null, `seed ${seed} (trace ${result.trace}): ${result.failure}\n  ${last}`)
      alerts += result.alerts
      faults += result.faults
    }
  })
}

test('there was something to get wrong', () => {
  assert.ok(alerts > runs * seedsPerRun * 5, `only ${alerts} alerts`)
  assert.ok(faults > runs * seedsPerRun * 5, `only ${faults} faults`)
})

test('a seed replays exactly, step by step', async () => {
  for (const seed of [3, 17, 1_000_003]) {
    const [first, second] = [await simulate(seed), await simulate(seed)]
    assert.deepEqual(second, first)
  }
  assert.notEqual((await simulate(3)).trace, (await simulate(4)).trace)
})
