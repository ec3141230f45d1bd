// What detectors left behind, on whatever log, and whether two runs left the same: alerts in order, state, dead letters,
// positions, and no transaction that is still open. Read through the same read_committed view that every consumer has.
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import type { LogClient, LogRecord } from '../../src/log/log-client.ts'
import type { DetectorOptions } from '../../src/pipeline/detector-options.ts'
import { isReserved, readPosition } from '../../src/pipeline/changelog.ts'
import type { ExpiryProgress } from '../../src/pipeline/state-expiry.ts'
import { readAll } from './conformance-cluster.ts'

/** Where detectors of a group worked. */
export interface Workplace extends Pick<DetectorOptions, 'group' | 'topics'> {
  readonly log: LogClient
}

/** All outputs of a run. */
export interface Outcome {
  /** By partition, in order: headers and value. */
  readonly alerts: readonly (readonly string[])[]
  /** Of all partitions, sorted. */
  readonly deadLetters: readonly string[]
  /** By partition: key and bytes of every principal with state, sorted by key. */
  readonly state: readonly (readonly string[])[]
  /** By partition: how far the input is from the next expiry of state. */
  readonly expiry: readonly (ExpiryProgress | null)[]
}

/** Reads the outputs of a finished run. Fails where the group is not at the end or a transaction was left open. */
export async function outcomeOf(workplace: Workplace): Promise<Outcome> {
  const { log, group, topics } = workplace
  const ends = await log.offsets(topics.events)
  const committed = await log.committed(group, topics.events)
  const each = <T>(read: (partition: number) => Promise<T>) => Promise.all(ends.map((_, partition) => read(partition)))
  const alerts = await each(async partition => (await readAll(log, topics.alerts, partition)).map(shown))
  const rejected = await each(async partition => (await readAll(log, topics.rejected, partition)).map(shown))
  const changelogs = await each(partition => readAll(log, topics.state, partition))
  const states = changelogs.map((records, partition) => lastOfEachKey(records, topics.events, partition))
  assert.equal(await unread(workplace), 0, 'the group is not at the end of its input')
  assert.deepEqual(
    states.map(({ position }) => position?.offset ?? null),
    committed,
    'the stored position is not the position of the group',
  )
  await assertNothingOpen(workplace, ends.length)
  return {
    alerts,
    deadLetters: rejected.flat().sort(),
    state: states.map(({ state }) => state),
    expiry: states.map(({ position }) => position?.expiry ?? null),
  }
}

/** Input that the group has not committed yet: records, because behind the last one there may be markers only. */
export async function unread({ log, group, topics }: Pick<Workplace, 'log' | 'group' | 'topics'>): Promise<number> {
  const committed = await log.committed(group, topics.events)
  let unread = 0
  for (const [partition, offset] of committed.entries())
    for await (const { records } of log.read(topics.events, partition, { from: offset ?? 0 })) unread += records.length
  return unread
}

function shown({ key, value, headers }: LogRecord): string {
  const fields = Object.entries(headers).map(([name, bytes]) => `${name}=${String(bytes)}`)
  return `${String(key)} ${fields.sort().join(' ')} ${value === null ? 'null' : bytesShown(value)}`
}

/** Bytes in a form that a difference can be read in; of megabytes of poison only what tells them apart. */
function bytesShown(value: Buffer): string {
  if (value.length < 10_000) return value.toString('latin1')
  return `${value.length} bytes, SHA-256 ${createHash('sha256').update(value).digest('hex')}`
}

function lastOfEachKey(records: readonly LogRecord[], input: string, partition: number) {
  const last = new Map<string, string>()
  let position = null
  for (const { key, value } of records) {
    assert.ok(key !== null)
    if (isReserved(key)) position = readPosition(key, value, input, partition) ?? position
    else if (value === null) last.delete(key.toString())
    else last.set(key.toString(), value.toString('hex'))
  }
  return { position, state: [...last].map(([key, bytes]) => `${key} ${bytes}`).sort() }
}

/** An open transaction holds the last stable offset back, also behind a record that is appended now. */
async function assertNothingOpen({ log, topics }: Workplace, partitions: number): Promise<void> {
  const producer = await log.producer()
  for (const topic of [topics.alerts, topics.state, topics.rejected]) {
    const before = await log.offsets(topic)
    const records = Array.from({ length: partitions }, (_, partition) => ({ key: '\0probe', value: null, partition }))
    await producer.send([{ topic, records }])
    const after = await log.offsets(topic)
    before.forEach(({ end }, partition) =>
      assert.ok((after[partition]?.end ?? 0) > end, `a transaction is open on ${topic}, partition ${partition}`),
    )
  }
}

/** Fails with the first difference between a run and the straight one. */
export function assertSameOutcome(actual: Outcome, straight: Outcome): void {
  straight.alerts.forEach((expected, partition) => {
    const got = actual.alerts[partition] ?? []
    const at = expected.findIndex((alert, i) => alert !== got[i])
    assert.ok(
      at < 0 && got.length === expected.length,
      `alerts of partition ${partition} differ: ${got.length} instead of ${expected.length}, from ${at < 0 ? expected.length : at} on`,
    )
  })
  assert.deepEqual(actual.deadLetters, straight.deadLetters, 'dead letters differ')
  assert.deepEqual(actual.state, straight.state, 'state differs')
  assert.deepEqual(actual.expiry, straight.expiry, 'the next expiry differs')
}
