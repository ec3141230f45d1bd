// `npm run simulate:faults`: the fault simulation of the detector over a range of seeds, for as long as one likes.
// Options: --from N (default 1), --count N (default 10000), --trace (prints the last steps of every failing seed).
// Prints one line per failing seed with the hash of its schedule; exit code 1 if there was one.
import { parseArgs } from 'node:util'
import { simulate } from '../test/harness/simulator-run.ts'

const { values } = parseArgs({
  options: {
    from: { type: 'string', default: '1' },
    count: { type: 'string', default: '10000' },
    trace: { type: 'boolean', default: false },
  },
})
const from = Number(values.from)
const count = Number(values.count)
if (!Number.isSafeInteger(from) || !Number.isSafeInteger(count) || count < 1) {
  console.error('--from and --count are integers.')
  process.exit(2)
}

let failed = 0
let steps = 0
let faults = 0
let alerts = 0
for (let seed = from; seed < from + count; seed++) {
  const result = await simulate(seed)
  steps += result.steps
  faults += result.faults
  alerts += result.alerts
  if (result.failure !== null) {
    failed++
    console.log(`seed ${seed} (trace ${result.trace}): ${result.failure}`)
    if (values.trace) console.log(`  ${result.recent.join('\n  ')}`)
  }
  if ((seed - from + 1) % 1000 === 0) console.error(`${seed - from + 1} seeds, ${failed} failed`)
}
const { user, system } = process.cpuUsage()
console.log(
  `${count} seeds from ${from}: ${failed} failed; ${steps} steps, ${faults} faults, ${alerts} alerts, ${((user + system) / 1e6).toFixed(1)} s of CPU`,
)
process.exitCode = failed > 0 ? 1 : 0
