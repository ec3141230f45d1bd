// Whether a round was exact: what is on the topics against the straight run, against `replay`, against the marks on the
// poisoned input and against Kafka's own client. Every finding is a sentence; none means exact.
import { agreementOf, alertsFromJson } from '../harness/backtest.ts'
import type { KafkaForTests } from '../harness/cluster.ts'
import { alertsOf } from '../harness/line.ts'
import type { Line } from '../harness/line.ts'
import { assertSameOutcome, outcomeOf } from '../harness/outcome.ts'
import { poisonHeader } from './input.ts'
import { javaWitness } from './java-witness.ts'
import { straightRun } from './oracle.ts'

/** What a round left, and what is wrong with it. */
export interface Verdict {
  readonly records: number
  readonly alerts: number
  readonly deadLetters: number
  readonly findings: readonly string[]
}

/** Judges a finished round: its group is at the end of its input and its processes have ended. */
export async function verdictOn(kafka: KafkaForTests, line: Line): Promise<Verdict> {
  const { log, topics } = line
  const findings: string[] = []
  const check = async (name: string, look: () => Promise<void> | void) => {
    try {
      await look()
    } catch (error) {
      findings.push(`${name}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }
  const alerts = await alertsOf(line)
  const letters = await line.readAll(topics.rejected)
  await check('Java client', () => agreesWithJava(kafka, line))
  await check('alerts once', () => {
    const ids = alerts.map(({ headers }) => headers['ce_id']!)
    const twice = ids.filter((id, index) => ids.indexOf(id) !== index)
    if (twice.length > 0) throw new Error(`${twice.length} alerts are there twice, such as ${twice[0]}`)
  })
  await check('dead letters', () => reconciled(line, letters))
  await check('replay', async () => {
    const { stdout, stderr, code } = await line.run(['replay', '--json', topics.events])
    if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`)
    const replayed = alertsFromJson(stdout.split('\n').filter(text => text !== ''))
    const { differences } = agreementOf(
      replayed,
      alerts.map(({ alert }) => alert),
    )
    if (differences.length > 0) throw new Error(`${differences.length} differ: ${differences.slice(0, 3).join('; ')}`)
  })
  const straight = await straightRun(line)
  await check('alerts', async () =>
    sameSet('alerts', await idsOn(line, topics.alerts), straight.alerts.flat().map(idOf)),
  )
  await check('straight run', async () => {
    assertSameOutcome(await outcomeOf({ log, group: line.env['DETECT_GROUP']!, topics }), straight)
  })
  const ends = await log.offsets(topics.events)
  const records = ends.reduce((sum, { begin, end }) => sum + end - begin, 0)
  return { records, alerts: alerts.length, deadLetters: letters.length, findings }
}

async function idsOn(line: Line, topic: string): Promise<string[]> {
  return (await line.readAll(topic)).map(({ headers }) => String(headers['ce_id']))
}

/** The id in an alert as an outcome shows it. */
function idOf(shown: string): string {
  return / ce_id=(\S+)/.exec(shown)?.[1] ?? shown
}

function sameSet(name: string, actual: readonly string[], expected: readonly string[]): void {
  const [have, want] = [new Set(actual), new Set(expected)]
  const missing = [...want].filter(each => !have.has(each))
  const extra = [...have].filter(each => !want.has(each))
  if (missing.length + extra.length > 0)
    throw new Error(
      `${missing.length} ${name} are missing and ${extra.length} should not be: ${[...missing.slice(0, 2), ...extra.slice(0, 2)].join(', ')}`,
    )
}

/** Every poisoned record has one dead letter that names its place, and no other record has one. */
async function reconciled(line: Line, letters: Awaited<ReturnType<Line['readAll']>>): Promise<void> {
  const poisoned: string[] = []
  for (let partition = 0; partition < (await line.log.offsets(line.topics.events)).length; partition++)
    for await (const { records } of line.log.read(line.topics.events, partition))
      for (const { headers, offset } of records)
        if (headers[poisonHeader] !== undefined) poisoned.push(`${partition}/${offset}`)
  const named = letters.map(
    ({ headers }) => `${String(headers['__connect.errors.partition'])}/${String(headers['__connect.errors.offset'])}`,
  )
  sameSet('dead letters', named, poisoned)
  if (named.length !== poisoned.length)
    throw new Error(`${named.length} dead letters for ${poisoned.length} poisoned records`)
}

async function agreesWithJava(kafka: KafkaForTests, line: Line): Promise<void> {
  const topics = [line.topics.alerts, line.topics.state, line.topics.rejected]
  const testimony = await javaWitness(kafka, topics)
  if (testimony === null) return
  if (testimony.open.length > 0) throw new Error(testimony.open.join('; '))
  const ours: string[] = []
  for (const topic of topics)
    for (const [partition] of (await line.log.offsets(topic)).entries())
      for await (const { records } of line.log.read(topic, partition))
        ours.push(...records.map(({ offset }) => `${topic} ${partition} ${offset}`))
  // Compaction may have removed a record of the changelog between the two readings.
  const kept = (seen: readonly string[]) => seen.filter(place => !place.startsWith(`${line.topics.state} `))
  sameSet('records', kept(ours), kept(testimony.records))
}
