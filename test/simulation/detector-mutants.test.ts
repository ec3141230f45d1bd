// Does the simulation notice? Each step of the protocol is undone underneath the loop, and a seed must fail.
// The seeds are those of detector-faults.test.ts, where the loop as it is passes them all.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as mutants from '../harness/simulator-mutants.ts'
import type { Mutant } from '../harness/simulator-mutants.ts'
import { simulate } from '../harness/simulator-run.ts'

const seeds = 1000

for (const [name, mutant] of Object.entries<Mutant>(mutants))
  test(`${name} is caught`, async t => {
    for (let seed = 1; seed <= seeds; seed++) {
      const { failure } = await simulate(seed, mutant())
      if (failure === null) continue
      t.diagnostic(`seed ${seed}: ${failure.split('\n', 1)[0]}`)
      return
    }
    assert.fail(`none of ${seeds} seeds fails with ${name}`)
  })
