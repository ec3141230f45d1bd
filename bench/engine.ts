// Events per second of the engine alone: rule matching and state, no Kafka, no Avro, one thread.
// node bench/engine.ts [events]; two streams, 12 % and 100 % of the events matching, over 2000 principals, and one with
// a single busy principal, which is the worst case for copying state at the start of every transaction.
import { Engine } from '../src/detect/engine.ts'
import type { CloudTrailEvent } from '../src/normalize/event.ts'
import { awsRegion, call, minute, multiRegion, rateRule, rule, ruleSet, second } from '../test/harness/detection.ts'

const total = Number(process.argv[2] ?? 500_000)
const batch = 500

let seed = 12345
const random = (n: number): number => {
  seed = (Math.imul(seed, 1103515245) + 12345) >>> 0
  return (seed >>> 8) % n
}

function events(share: number, principals: number): CloudTrailEvent[] {
  const template = call(0)
  return Array.from({ length: total }, (_, i) => {
    const who = random(principals)
    return {
      ...template,
      eventTime: i * (second / 4) - random(5 * minute),
      eventId: `5d1c1a3e-8f5b-4c1e-9a3e-${String(i).padStart(12, '0')}`,
      eventName:
        random(100) < share ? (random(10) === 0 ? 'BatchGetSecretValue' : 'GetSecretValue') : 'DescribeInstances',
      awsRegion: `region-${random(3)}`,
      outcome: random(50) === 0 ? 'DENIED' : 'SUCCESS',
      secrets: [`111122223333:us-east-1:secret-${random(20)}`],
      principal: { key: `111122223333/role/AROA${who}`, kind: 'ROLE', name: `role-${who}` },
    }
  })
}

const rules = ruleSet(
  [
    multiRegion,
    rateRule('secretsmanager-denied-rate', { feeds: [1] }),
    rule('denied-20', { kind: 'event_count', timespanMs: 24 * 60 * minute, condition: { gte: 20 } }, { feeds: [2] }),
    rule(
      'regions',
      { kind: 'value_count', timespanMs: 30 * minute, condition: { gte: 8 }, field: awsRegion },
      { feeds: [1] },
    ),
  ],
  [
    e => e.eventName === 'BatchGetSecretValue',
    e => e.eventName === 'GetSecretValue',
    e => e.eventName === 'GetSecretValue' && e.outcome === 'DENIED',
  ],
)

for (const [label, share, principals] of [
  ['12 % matching, 2000 principals', 12, 2000],
  ['100 % matching, 2000 principals', 100, 2000],
  ['100 % matching, 1 principal', 100, 1],
] as const) {
  const stream = events(share, principals)
  const engine = new Engine(rules, { describe: () => ({ explanation: '', runbook: '' }) })
  let alerts = 0
  let changed = 0
  const started = process.cpuUsage()
  for (let i = 0; i < stream.length; i += batch) {
    const transaction = engine.begin()
    for (let j = i; j < Math.min(i + batch, stream.length); j++) transaction.process(stream[j]!, null, null)
    for (const [, record] of transaction.changes()) changed += record === null ? 0 : 1
    alerts += transaction.alerts.length
    transaction.merge()
  }
  const used = process.cpuUsage(started)
  const seconds = (used.user + used.system) / 1e6
  console.log(
    `${label}: ${Math.round(total / seconds).toLocaleString('en')} events/s of CPU, ` +
      `${((seconds * 1e6) / total).toFixed(2)} µs each, ${changed} state records, ${alerts} alerts`,
  )
}
