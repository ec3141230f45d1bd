// `npm run bench:failover`: how long partitions stand still when a detector is killed, restarted, rolled or frozen.
// Three processes of the built command line, steady input, a real broker (KAFKA_BROKERS, Docker or the JVM, as in tests).
// A gap is the time between two transactions of one partition; every figure is the median of the rounds, least and most.
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { setTimeout as sleep } from 'node:timers/promises'
import { installBuilt } from '../test/chaos/installation.ts'
import { kafkaForTests } from '../test/harness/kafka.ts'
import { DetectorGroup } from './detector-group.ts'
import type { GroupOptions } from './detector-group.ts'
import { costOf } from './measure.ts'

const { values, positionals } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    session: { type: 'string', default: '10000' },
    partitions: { type: 'string', default: '6' },
  },
  allowPositionals: true,
})
const rounds = Number(values.rounds)
const sessionMs = Number(values.session)
const processes = 3

/** What one round measured, by the name of the figure, in seconds or as a count. */
type Figures = Readonly<Record<string, number>>

interface Scenario {
  readonly name: string
  readonly group: Pick<GroupOptions, 'assignor' | 'isStatic'>
  round(group: DetectorGroup, victim: number): Promise<Figures>
}

const seconds = (ms: number) => ms / 1000
const longest = (times: readonly number[]) => Math.max(...times)

/** kill -9; `restart` starts the process again at once, otherwise after its partitions have moved. */
async function killed(group: DetectorGroup, victim: number, restart: boolean): Promise<Figures> {
  const owned = group.owned(victim)
  const { child, exited } = group.places[victim]!
  child.kill('SIGKILL')
  const time = Date.now()
  await exited
  if (restart) group.run(victim)
  const first = await group.movedAfter(owned, time)
  const others = group.commits.map((_, partition) => partition).filter(partition => !owned.includes(partition))
  await group.movedAfter(others, Date.now())
  const gaps = group.gaps(time, Date.now())
  if (!restart) group.run(victim)
  await group.steady()
  return {
    'first record of its partitions': seconds(Math.min(...first) - time),
    'all of its partitions': seconds(longest(first) - time),
    'longest gap of the others': seconds(longest(others.map(partition => gaps[partition] ?? 0))),
    ...(restart ? { 'start of the process': seconds(group.startTime(victim)) } : {}),
  }
}

/** SIGTERM one after the other; the next when the one before is ready again, as a deployment does it. */
async function rolled(group: DetectorGroup): Promise<Figures> {
  const start = Date.now()
  const opened = group.opened()
  const starts: number[] = []
  for (const place of group.places.keys()) {
    const { child, exited } = group.places[place]!
    child.kill('SIGTERM')
    await exited
    group.run(place)
    while (!(await group.ready(place))) await sleep(50)
    starts.push(group.startTime(place))
  }
  await group.steady()
  const gaps = group.gaps(start, Date.now())
  const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
  return {
    'longest gap of a partition': seconds(longest(gaps)),
    'longest gap, mean of the partitions': seconds(mean),
    'start of a process, longest': seconds(longest(starts)),
    'partitions opened (states read back)': group.opened() - opened,
  }
}

/** SIGSTOP until others have taken over, and SIGCONT: the former owner finds out and joins again. */
async function frozen(group: DetectorGroup, victim: number): Promise<Figures> {
  const owned = group.owned(victim)
  const { child } = group.places[victim]!
  child.kill('SIGSTOP')
  const time = Date.now()
  const first = await group.movedAfter(owned, time)
  await sleep(2_000)
  const woken = Date.now()
  child.kill('SIGCONT')
  await group.steady()
  return {
    'all of its partitions': seconds(longest(first) - time),
    'longest gap after SIGCONT': seconds(longest(group.gaps(woken, Date.now()))),
  }
}

const sticky = { assignor: 'sticky', isStatic: false } as const
const scenarios: Readonly<Record<string, Scenario>> = {
  kill: { name: 'kill -9, not restarted', group: sticky, round: (group, victim) => killed(group, victim, false) },
  restart: {
    name: 'kill -9, restarted at once, dynamic member',
    group: sticky,
    round: (group, victim) => killed(group, victim, true),
  },
  static: {
    name: 'kill -9, restarted at once, static member',
    group: { assignor: 'sticky', isStatic: true },
    round: (group, victim) => killed(group, victim, true),
  },
  roll: { name: 'rolling restart by SIGTERM, dynamic members, sticky', group: sticky, round: rolled },
  'roll-round-robin': {
    name: 'rolling restart by SIGTERM, dynamic members, round robin of kafkajs',
    group: { assignor: 'round robin', isStatic: false },
    round: rolled,
  },
  'roll-static': {
    name: 'rolling restart by SIGTERM, static members',
    group: { assignor: 'sticky', isStatic: true },
    round: rolled,
  },
  freeze: { name: 'SIGSTOP', group: sticky, round: frozen },
}

const wanted = positionals.length === 0 ? Object.keys(scenarios) : positionals
for (const name of wanted)
  if (!(name in scenarios)) throw new Error(`${name}: ${Object.keys(scenarios).join(', ')} exist`)
const installed = await installBuilt()
const kafka = await kafkaForTests({ own: true }, line => console.error(line))
try {
  const options = { program: installed.program, processes, partitions: Number(values.partitions), sessionMs }
  console.log(
    `${processes} detectors, ${options.partitions} partitions, session ${sessionMs / 1000} s, ${rounds} rounds; ` +
      `node ${process.version}, ${cpus().length} cores, Kafka: ${kafka.how}`,
  )
  for (const scenario of wanted.map(name => scenarios[name]!)) {
    const group = await DetectorGroup.start(kafka, { ...options, ...scenario.group })
    const measured: Figures[] = []
    for (let round = 0; round < rounds; round++) measured.push(await scenario.round(group, round % processes))
    await group.stop()
    console.log(`\n${scenario.name}`)
    for (const figure of Object.keys(measured[0] ?? {})) {
      const { median, least, most } = costOf(measured.map(figures => figures[figure] ?? Number.NaN))
      const [a, b, c] = [median, least, most].map(value => value.toFixed(figure.startsWith('partitions') ? 0 : 1))
      console.log(`  ${figure.padEnd(40)} ${`${a} (${b}-${c})`.padStart(18)}`)
    }
  }
} finally {
  await kafka.stop()
  installed.remove()
}
