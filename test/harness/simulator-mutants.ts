// Logs that break one promise each, to prove that the simulation would notice a loop that broke it. Each mutant stands
// for a line of the loop: what the loop does for that promise is undone underneath it, so that src needs no switch.
import type { LogClient, LogRecord, OutRecord, RecordBatch } from '../../src/log/log-client.ts'
import type { TopicRecords, Transaction, TransactionalProducer } from '../../src/log/log-client.ts'
import { isReserved } from '../../src/pipeline/changelog.ts'
import { clientWith, topics } from './simulator-cluster.ts'
import type { Wrap } from './simulator-run.ts'

/** A fresh mutation for one simulation: what its processes share is in the closure. */
export type Mutant = () => Wrap

/** Nobody is ever fenced: every producer has an id of its own. */
export const withoutFence: Mutant = () => {
  let serial = 0
  return client =>
    clientWith(client, {
      ...blindToOpenTransactions(client),
      transactionalProducer: id => client.transactionalProducer(`${id}-${serial++}`),
    })
}

/** The state is read first and the fence comes with the first transaction: kafkajs' own habit. */
export const fenceAfterReading: Mutant = () => client =>
  clientWith(client, {
    ...blindToOpenTransactions(client),
    async transactionalProducer(id) {
      let inner: TransactionalProducer | null = null
      return {
        async begin() {
          inner ??= await client.transactionalProducer(id)
          return inner.begin()
        },
        close: async () => inner?.close(),
      }
    },
  })

/** The position is the one that stood there before the fence; the state is read after it. */
export const positionFromBeforeFence: Mutant = () => client => {
  const known = new Map<number, { stored: LogRecord | null; committed: number | null }>()
  return clientWith(client, {
    async transactionalProducer(id) {
      const partition = Number(id.slice(id.lastIndexOf('-') + 1))
      let stored: LogRecord | null = null
      for await (const { records } of client.read(topics.state, partition))
        for (const record of records) if (record.key !== null && isReserved(record.key)) stored = record
      const committed = (await client.committed('detect', topics.events))[partition] ?? null
      known.set(partition, { stored, committed })
      // Time for a commit to land in between: at once, one seed in five hundred has one.
      for (let step = 0; step < 10; step++) await client.partitions(topics.state)
      return client.transactionalProducer(id)
    },
    async committed(group, topic) {
      const offsets = await client.committed(group, topic)
      return offsets.map((offset, partition) => known.get(partition)?.committed ?? offset)
    },
    read(topic, partition, options) {
      return topic === topics.state
        ? frozenPosition(partition, client.read(topic, partition, options))
        : client.read(topic, partition, options)
    },
  })

  async function* frozenPosition(partition: number, batches: AsyncIterable<RecordBatch>) {
    const stored = known.get(partition)?.stored ?? null
    for await (const batch of batches) {
      const records = batch.records.flatMap(record => {
        if (record.key === null || !isReserved(record.key)) return [record]
        return stored === null ? [] : [{ ...record, value: stored.value }]
      })
      yield { ...batch, records }
    }
  }
}

/** After a failure a new producer goes on with the transaction as if nothing had happened: state and position are kept. */
export const stateKeptOverFailure: Mutant = () => client =>
  clientWith(client, {
    async transactionalProducer(id) {
      let inner = await client.transactionalProducer(id)
      return { begin: async () => stubborn(await inner.begin()), close: () => inner.close() }

      function stubborn(first: Transaction): Transaction {
        let transaction = first
        const done: ((on: Transaction) => Promise<unknown>)[] = []
        const persist = async <T>(call: (on: Transaction) => Promise<T>): Promise<T> => {
          done.push(call)
          try {
            return await call(transaction)
          } catch {
            inner = await client.transactionalProducer(id)
            transaction = await inner.begin()
            for (const again of done.slice(0, -1)) await again(transaction)
            return call(transaction)
          }
        }
        return {
          sendOffsets: (group, topic, offsets) => persist(on => on.sendOffsets(group, topic, offsets)),
          send: batch => persist(on => on.send(batch)),
          commit: () => persist(on => on.commit()),
          abort: () => transaction.abort(),
        }
      }
    },
  })

/** Restoring sees what was sent in transactions that are still open or were aborted. */
export const uncommittedReads: Mutant = () => {
  const sent = new Map<number, OutRecord[]>()
  return client =>
    clientWith(client, {
      async transactionalProducer(id) {
        const inner = await client.transactionalProducer(id)
        return { begin: async () => recorded(await inner.begin()), close: () => inner.close() }
      },
      read: (topic, partition, options) =>
        topic === topics.state ? everything(partition) : client.read(topic, partition, options),
    })

  function recorded(transaction: Transaction): Transaction {
    return {
      sendOffsets: (group, topic, offsets) => transaction.sendOffsets(group, topic, offsets),
      async send(batch) {
        const appended = await transaction.send(batch)
        for (const record of stateRecords(batch)) {
          const partition = record.partition ?? 0
          sent.set(partition, [...(sent.get(partition) ?? []), record])
        }
        return appended
      },
      commit: () => transaction.commit(),
      abort: () => transaction.abort(),
    }
  }

  async function* everything(partition: number): AsyncGenerator<RecordBatch> {
    const records = (sent.get(partition) ?? []).map(({ key, value }, offset) => ({
      offset,
      timestamp: 0,
      key: Buffer.from(key ?? ''),
      value,
      headers: {},
    }))
    const nextOffset = records.length
    if (nextOffset > 0) yield { topic: topics.state, partition, records, nextOffset, highWatermark: nextOffset }
  }
}

/** How far the input is from the next expiry of state is not restored: it starts anew with every owner. */
export const expiryForgotten: Mutant = () => client =>
  clientWith(client, {
    read: (topic, partition, options) => {
      const batches = client.read(topic, partition, options)
      return topic === topics.state ? withoutExpiry(batches) : batches
    },
  })

async function* withoutExpiry(batches: AsyncIterable<RecordBatch>): AsyncGenerator<RecordBatch> {
  for await (const batch of batches) yield { ...batch, records: batch.records.map(stripped) }
}

function stripped(record: LogRecord): LogRecord {
  if (record.key === null || record.value === null || !isReserved(record.key)) return record
  const { expiry: _, ...position } = JSON.parse(record.value.toString()) as Record<string, unknown>
  return { ...record, value: Buffer.from(JSON.stringify(position)) }
}

/** The position of the group does not ride on the transaction. */
export const offsetsBesideTransaction: Mutant = () => client =>
  clientWith(client, {
    async transactionalProducer(id) {
      const inner = await client.transactionalProducer(id)
      return {
        async begin() {
          const transaction = await inner.begin()
          return {
            sendOffsets: async () => undefined,
            send: batch => transaction.send(batch),
            commit: () => transaction.commit(),
            abort: () => transaction.abort(),
          }
        },
        close: () => inner.close(),
      }
    },
  })

/** Outputs are appended at once, and only state and position are in the transaction. */
export const outputsOutsideTransaction: Mutant = () => client =>
  clientWith(client, {
    async transactionalProducer(id) {
      const inner = await client.transactionalProducer(id)
      const producer = await client.producer()
      return {
        async begin() {
          const transaction = await inner.begin()
          return {
            sendOffsets: (group, topic, offsets) => transaction.sendOffsets(group, topic, offsets),
            async send(batch) {
              const beside = await producer.send(batch.filter(({ topic }) => topic !== topics.state))
              const inside = await transaction.send(batch.filter(({ topic }) => topic === topics.state))
              return [...beside, ...inside]
            },
            commit: () => transaction.commit(),
            abort: () => transaction.abort(),
          }
        },
        close: () => inner.close(),
      }
    },
  })

/** Nobody sees that a transaction hangs: there is no sweep before the state is read. */
export const hangingUnseen: Mutant = () => client => clientWith(client, blindToOpenTransactions(client))

/** That a transaction hangs is seen by who opens a partition, but not by who goes on with it after the cluster was away. */
export const hangingUnseenBySurvivor: Mutant = () => client => {
  const opening = new Set<number>()
  return clientWith(client, {
    transactionalProducer(id) {
      opening.add(Number(id.slice(id.lastIndexOf('-') + 1)))
      return client.transactionalProducer(id)
    },
    async highWatermarks(topic) {
      const ends = await client.offsets(topic)
      const watermarks = await client.highWatermarks(topic)
      return watermarks.map((watermark, i) => (opening.has(i) ? watermark : (ends[i]?.end ?? 0)))
    },
    read(topic, partition, options) {
      if (topic === topics.state) opening.delete(partition)
      return client.read(topic, partition, options)
    },
  })
}

/** Also for a loop without a fence: looking for what hangs behind the fence would notice that there is none. */
function blindToOpenTransactions(client: LogClient): Pick<LogClient, 'highWatermarks'> {
  return { highWatermarks: async topic => (await client.offsets(topic)).map(({ end }) => end) }
}

function stateRecords(batch: readonly TopicRecords[]): readonly OutRecord[] {
  return batch.flatMap(({ topic, records }) => (topic === topics.state ? records : []))
}
