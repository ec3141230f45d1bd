// `npm run chaos`: detectors of the built command line on real brokers under kill -9, SIGSTOP, broker failures and lost
// commits, judged against one uninterrupted run.
//   npm run chaos                                      one round of every scenario
//   npm run chaos -- --seed 7 --rounds 20              more rounds, seeds 7 to 26, scenarios in turn
//   npm run chaos -- --scenario cluster --seconds 120  one scenario: see scenarios.ts
// Prints one line per round; exit code 1 if one was not exact. A failing round keeps its logs and says how to repeat it.
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { parseArgs } from 'node:util'
import { kafkaForTests } from '../harness/kafka.ts'
import { reasonOf } from '../harness/readiness.ts'
import { installBuilt } from './installation.ts'
import { chaosRound } from './round.ts'
import type { RoundReport } from './round.ts'
import { mixed, scenarios } from './scenarios.ts'
import type { Scenario } from './scenarios.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    rounds: { type: 'string' },
    scenario: { type: 'string', default: 'mixed' },
    seconds: { type: 'string', default: '30' },
  },
})
const names = values.scenario === 'mixed' ? mixed : [values.scenario]
const [firstSeed, rounds, seconds] = [values.seed, values.rounds ?? String(names.length), values.seconds].map(
  Number,
) as [number, number, number]
if (
  ![firstSeed, rounds, seconds].every(number => Number.isSafeInteger(number) && number > 0) ||
  !names.every(isScenario)
) {
  console.error(
    `--seed, --rounds and --seconds are whole numbers; --scenario is mixed, ${Object.keys(scenarios).join(', ')}.`,
  )
  process.exit(2)
}

const logs = join(import.meta.dirname, '..', '..', '.cache', 'chaos')
const installation = await installBuilt()
let failed = 0
try {
  for (let round = 0; round < rounds; round++) {
    const seed = firstSeed + round
    const name = names[seed % names.length]!
    if (!(await exact(seed, name))) failed++
  }
} finally {
  installation.remove()
}
console.log(`${rounds} rounds, ${rounds - failed} exact, ${failed} not`)
process.exitCode = failed > 0 ? 1 : 0

function isScenario(name: string): boolean {
  return Object.hasOwn(scenarios, name)
}

/** One round on a cluster of its own; prints its line. */
async function exact(seed: number, name: string): Promise<boolean> {
  const scenario = scenarios[name] as Scenario
  const folder = join(logs, `${name}-${seed}`)
  rmSync(folder, { recursive: true, force: true })
  console.error(`seed ${seed}, scenario ${name}, ${seconds} s of faults`)
  const kafka = await kafkaForTests({ nodes: scenario.nodes, config: { 'log.cleaner.backoff.ms': '1000' } })
  try {
    const options = { seed, scenario, durationMs: seconds * 1000, program: installation.program, folder }
    const report = await chaosRound(kafka, options)
    console.log(lineOf(name, report))
    if (report.findings.length === 0) {
      rmSync(folder, { recursive: true, force: true })
      return true
    }
    for (const finding of report.findings) console.log(`  ${finding.slice(0, 600)}`)
  } catch (error) {
    console.log(`seed ${seed} ${name}: the round itself failed: ${reasonOf(error)}`)
    if (error instanceof Error) console.error(error.stack)
  } finally {
    if (existsSync(folder))
      for (const file of kafka.logs) if (existsSync(file)) copyFileSync(file, join(folder, basename(file)))
    await kafka.stop()
  }
  console.log(
    `  logs: ${relative('.', folder)}; again: npm run chaos -- --scenario ${name} --seed ${seed} --rounds 1 --seconds ${seconds}`,
  )
  return false
}

function lineOf(name: string, report: RoundReport): string {
  const { kills, stops, terms, rebalances, brokerRestarts, gaveUp, repliesDropped, commitsLost, records } = report
  const { alerts, deadLetters, longestStallMs, findings } = report
  const facts = [
    `seed ${report.seed} ${name}: kills ${kills}, stops ${stops}, terms ${terms}, rebalances ${rebalances ?? 'unknown'}`,
    `broker restarts ${brokerRestarts}, given up ${gaveUp}, EndTxn replies dropped ${repliesDropped}, EndTxn requests lost ${commitsLost}`,
    `records ${records}, alerts ${alerts}, dead letters ${deadLetters}, longest stall ${(longestStallMs / 1000).toFixed(1)} s`,
    findings.length === 0 ? 'EXACT' : `NOT EXACT (${findings.length})`,
  ]
  return facts.join(', ')
}
