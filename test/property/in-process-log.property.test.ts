// The in-process log against a model that is as plain as it can be: per partition a list of what was appended, each
// entry with the transaction it belongs to. Random interleavings of producers on two transactional ids, of zombies that
// go on after they were fenced, and of plain appends must give the model's view after every single step.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { TrailwardenError } from '../../src/errors.ts'
import { inProcessLog } from '../../src/log/in-process.ts'
import type { InProcessLog } from '../../src/log/in-process.ts'
import type { LogRecord, Transaction, TransactionalProducer } from '../../src/log/log-client.ts'

const topic = 'topic'
const group = 'group'
const partitions = 2
const ids = ['id-0', 'id-1']

interface ModelTransaction {
  fate: 'open' | 'committed' | 'aborted'
  offset: number | null
}

interface ModelEntry {
  /** Null for a control marker. */
  readonly value: string | null
  readonly transaction: ModelTransaction | null
}

/** A producer that was handed out, with what the model knows about it. */
interface Handle {
  readonly id: string
  readonly producer: TransactionalProducer
  transaction: Transaction | null
  model: ModelTransaction | null
  dead: boolean
}

class Model {
  readonly partitions: ModelEntry[][] = Array.from({ length: partitions }, () => [])
  readonly holders = new Map<string, Handle>()
  committed: number | null = null

  append(partition: number, value: string, transaction: ModelTransaction | null): void {
    this.partitions[partition]?.push({ value, transaction })
  }

  end(transaction: ModelTransaction, fate: 'committed' | 'aborted'): void {
    if (transaction.fate !== 'open') return
    transaction.fate = fate
    if (fate === 'committed') this.committed = transaction.offset ?? this.committed
    for (const entries of this.partitions)
      if (entries.some(entry => entry.transaction === transaction)) entries.push({ value: null, transaction })
  }

  stable(partition: number): number {
    const entries = this.partitions[partition] ?? []
    const open = entries.findIndex(entry => entry.transaction?.fate === 'open')
    return open < 0 ? entries.length : open
  }

  view(partition: number): string[] {
    return (this.partitions[partition] ?? [])
      .map(({ value, transaction }, offset) => ({ value, transaction, offset }))
      .slice(0, this.stable(partition))
      .filter(({ value, transaction }) => value !== null && (transaction === null || transaction.fate === 'committed'))
      .map(({ value, offset }) => `${offset}:${value}`)
  }
}

type Step =
  | { readonly do: 'hand out'; readonly id: number }
  | { readonly do: 'plain'; readonly partition: number }
  | { readonly do: 'begin'; readonly handle: number }
  | { readonly do: 'close'; readonly handle: number }
  | InTransaction

type InTransaction =
  | { readonly do: 'commit' | 'abort'; readonly handle: number }
  | { readonly do: 'send'; readonly handle: number; readonly to: readonly number[] }
  | { readonly do: 'offsets'; readonly handle: number; readonly offset: number }

const handle = fc.nat({ max: 50 })
const partition = fc.nat({ max: partitions - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('hand out' as const), id: fc.nat({ max: 1 }) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('plain' as const), partition }) },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('begin' as const), handle }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constantFrom('commit' as const, 'abort' as const), handle }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const), handle }) },
  {
    weight: 8,
    arbitrary: fc.record({ do: fc.constant('send' as const), handle, to: fc.array(partition, { maxLength: 3 }) }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('offsets' as const), handle, offset: fc.nat({ max: 99 }) }) },
)

async function outcome(call: Promise<unknown>): Promise<string> {
  try {
    await call
    return 'done'
  } catch (error) {
    assert.ok(error instanceof TrailwardenError)
    return error.code
  }
}

async function visible(log: InProcessLog, at: number): Promise<string[]> {
  const records: LogRecord[] = []
  for await (const batch of log.read(topic, at)) records.push(...batch.records)
  return records.map(record => `${record.offset}:${String(record.value)}`)
}

class Run {
  readonly log = inProcessLog({ now: () => 1, maxBatchRecords: 3 })
  readonly model = new Model()
  readonly handles: Handle[] = []
  #values = 0

  constructor() {
    this.log.createTopic(topic, { partitions })
  }

  async take(taken: Step): Promise<void> {
    if (taken.do === 'hand out') return this.#handOut(ids[taken.id] ?? '')
    if (taken.do === 'plain') {
      const value = `plain-${this.#values++}`
      const producer = await this.log.producer()
      await producer.send([{ topic, records: [{ key: null, value: Buffer.from(value), partition: taken.partition }] }])
      this.model.append(taken.partition, value, null)
      return
    }
    // Mostly recent handles, so that both living producers and zombies get their turn.
    const used = this.handles.at(-1 - (taken.handle % Math.min(4, Math.max(1, this.handles.length))))
    if (used === undefined) return
    const isHolder = this.model.holders.get(used.id) === used
    if (taken.do === 'close') return this.#close(used, isHolder)
    if (taken.do === 'begin') return this.#begin(used)
    return this.#inTransaction(taken, used, isHolder)
  }

  async #inTransaction(taken: InTransaction, used: Handle, isHolder: boolean): Promise<void> {
    const { transaction, model } = used
    if (transaction === null || model === null) return
    const expected = used.dead ? 'TW_PRODUCER_DEAD' : isHolder ? 'done' : 'TW_FENCED'
    const values: [number, string][] = taken.do === 'send' ? taken.to.map(to => [to, `v${this.#values++}`]) : []
    const call = (): Promise<unknown> => {
      switch (taken.do) {
        case 'commit':
          return transaction.commit()
        case 'abort':
          return transaction.abort()
        case 'offsets':
          return transaction.sendOffsets(group, topic, new Map([[0, taken.offset]]))
        case 'send':
          return transaction.send([
            { topic, records: values.map(([to, value]) => ({ key: null, value: Buffer.from(value), partition: to })) },
          ])
      }
    }
    assert.equal(await outcome(call()), expected, `${taken.do} on ${used.id}`)
    if (expected !== 'done') {
      used.dead = true
      return
    }
    if (taken.do === 'send') for (const [to, value] of values) this.model.append(to, value, model)
    else if (taken.do === 'offsets') model.offset = taken.offset
    else {
      this.model.end(model, taken.do === 'commit' ? 'committed' : 'aborted')
      used.transaction = used.model = null
    }
  }

  async #handOut(id: string): Promise<void> {
    const producer = await this.log.transactionalProducer(id)
    const before = this.model.holders.get(id)
    if (before?.model) this.model.end(before.model, 'aborted')
    const fresh: Handle = { id, producer, transaction: null, model: null, dead: false }
    this.model.holders.set(id, fresh)
    this.handles.push(fresh)
  }

  async #begin(used: Handle): Promise<void> {
    if (used.transaction !== null) return
    const result = await outcome(used.producer.begin().then(begun => (used.transaction = begun)))
    assert.equal(result, used.dead ? 'TW_PRODUCER_DEAD' : 'done')
    if (result === 'done') used.model = { fate: 'open', offset: null }
  }

  async #close(used: Handle, isHolder: boolean): Promise<void> {
    await used.producer.close()
    if (used.model !== null && isHolder) this.model.end(used.model, 'aborted')
    used.dead = true
  }
}

test('every reader sees the committed records in order, whatever producers and zombies do', async () => {
  let sawFenced = 0
  let sawOpen = 0
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async steps => {
      const run = new Run()
      const stableBefore = [0, 0]
      for (const taken of steps) {
        await run.take(taken)
        const offsets = await run.log.offsets(topic)
        for (let at = 0; at < partitions; at++) {
          const stable = offsets[at]?.end ?? -1
          assert.equal(stable, run.model.stable(at), 'last stable offset')
          assert.ok(stable >= (stableBefore[at] ?? 0), 'the last stable offset went back')
          stableBefore[at] = stable
          assert.deepEqual(await visible(run.log, at), run.model.view(at))
          if (stable < (run.model.partitions[at]?.length ?? 0)) sawOpen += 1
        }
        assert.deepEqual(await run.log.committed(group, topic), [run.model.committed, null])
      }
      sawFenced += run.handles.filter(used => used.dead && run.model.holders.get(used.id) !== used).length
    }),
    { numRuns: 250 },
  )
  // The generator must reach what the property is about.
  assert.ok(sawFenced > 50, `fenced producers met: ${sawFenced}`)
  assert.ok(sawOpen > 500, `steps with an open transaction: ${sawOpen}`)
})

test('compaction at any moment changes neither the latest value of a key nor the end of the log', async () => {
  const write = fc.record({
    key: fc.constantFrom('a', 'b', 'c', 'd'),
    value: fc.option(fc.string({ maxLength: 3 }), { freq: 3 }),
    via: fc.constantFrom('plain', 'committed', 'aborted'),
    compact: fc.boolean(),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(write, { maxLength: 30 }), async writes => {
      const log = inProcessLog({ now: () => 1, maxBatchRecords: 2 })
      log.createTopic(topic, { partitions: 1, compact: true })
      const plain = await log.producer()
      const transactional = await log.transactionalProducer('id')
      const expected = new Map<string, string>()
      let end = 0
      for (const { key, value, via, compact } of writes) {
        const batch = [{ topic, records: [{ key, value: value === null ? null : Buffer.from(value) }] }]
        if (via === 'plain') await plain.send(batch)
        else {
          const transaction = await transactional.begin()
          await transaction.send(batch)
          await (via === 'committed' ? transaction.commit() : transaction.abort())
        }
        end += via === 'plain' ? 1 : 2
        if (via !== 'aborted') {
          if (value === null) expected.delete(key)
          else expected.set(key, value)
        }
        if (compact) log.compact(topic)
        const restored = new Map<string, string>()
        for await (const { records } of log.read(topic, 0))
          for (const record of records) {
            if (record.value === null) restored.delete(String(record.key))
            else restored.set(String(record.key), String(record.value))
          }
        assert.deepEqual(restored, expected)
        assert.deepEqual(await log.offsets(topic), [{ begin: 0, end }])
      }
    }),
    { numRuns: 200 },
  )
})
