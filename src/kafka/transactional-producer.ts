// Transactional producer of the LogClient port: one per transactional id, handed out only after InitProducerId has
// fenced every earlier holder of the id. It lives until its first failure; after that every call rejects with
// TW_PRODUCER_DEAD and the caller opens a new one, because kafkajs cannot leave a failed commit or abort, and because
// only a new InitProducerId settles a transaction whose outcome is unknown.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Kafka, Producer as KafkajsProducer, Transaction as KafkajsTransaction } from 'kafkajs'
import { twError } from '../errors.ts'
import type { Transaction, TransactionalProducer } from '../log/log-client.ts'
import { asFault, isConcurrentTransactions, isFenced, isTransient, transactionFault } from './faults.ts'
import { chosenPartition, requestsFor } from './producer.ts'
import type { Wire } from './producer.ts'
import { firstPartition, placesOf } from './produce-requests.ts'
import type { TopicMessages } from './produce-requests.ts'

// The broker ends the transaction of a dead process after this long; until then read_committed readers wait behind it.
const transactionTimeoutMs = 30_000
const openForMs = 60_000
const openEveryMs = 50
// The Java client's back-off for the same answer; the previous transaction needs a few milliseconds to end.
const concurrentEveryMs = 20
const concurrentForMs = 10_000
const abortForMs = 1_000

function clientFor(kafka: Kafka, transactionalId: string): KafkajsProducer {
  return kafka.producer({
    transactionalId,
    transactionTimeout: transactionTimeoutMs,
    // Requests to the coordinator stay in order; in parallel they answer each other with CONCURRENT_TRANSACTIONS.
    maxInFlightRequests: 1,
    allowAutoTopicCreation: false,
    createPartitioner: chosenPartition,
    // A kafkajs retry inside a send that spans brokers duplicates and loses records when a leader moves.
    retry: { retries: 0 },
  })
}

/**
 * Fences the id and hands out its producer. Waits up to a minute for a coordinator that loads or moves and for the
 * previous holder's transaction to end; rejects with TW_BROKER_UNAVAILABLE, or TW_TRANSACTION_FAILED where the cluster refuses.
 */
export async function fencedProducer(
  kafka: Kafka,
  transactionalId: string,
  wire: Wire,
): Promise<TransactionalProducer> {
  const deadline = Date.now() + openForMs
  for (;;) {
    const client = clientFor(kafka, transactionalId)
    try {
      await client.connect()
      // kafkajs sends InitProducerId with the first transaction; aborting it unused sends nothing more.
      const probe = await client.transaction()
      await probe.abort()
      return transactionalProducer(client, wire)
    } catch (error) {
      void client.disconnect().catch(() => undefined)
      const what = `Opening the transactional producer ${transactionalId}`
      // Two processes opening the same id at once: the earlier one is fenced by the later one and tries again.
      if (!isTransient(error) && !isFenced(error)) throw asFault(error, 'TW_TRANSACTION_FAILED', what)
      if (Date.now() > deadline) throw asFault(error, 'TW_BROKER_UNAVAILABLE', what)
      await sleep(openEveryMs)
    }
  }
}

function transactionalProducer(client: KafkajsProducer, wire: Wire): TransactionalProducer {
  let dead = false
  let open: KafkajsTransaction | null = null
  let next = 0

  /** Runs one step; its failure is the last thing that happens to this producer. */
  async function step<T>(what: string, run: () => Promise<T>): Promise<T> {
    if (dead) throw twError('TW_PRODUCER_DEAD', `${what}: this producer has failed before.`)
    try {
      return await run()
    } catch (error) {
      dead = true
      throw transactionFault(error, what)
    }
  }

  function inTransaction(transaction: KafkajsTransaction): Transaction {
    // Whether a request of this transaction was accepted: then the transaction before it has ended.
    let begun = false
    const append = async (topicMessages: TopicMessages[]) => {
      await transaction.sendBatch({ acks: -1, compression: wire.compression, topicMessages })
    }
    return {
      sendOffsets: (consumerGroupId, topic, offsets) =>
        step('Sending offsets', async () => {
          const partitions = [...offsets].map(([partition, offset]) => ({ partition, offset: String(offset) }))
          await whileConcurrent(() => transaction.sendOffsets({ consumerGroupId, topics: [{ topic, partitions }] }))
          begun = true
        }),
      send: batch =>
        step('Sending in a transaction', async () => {
          const requests = await requestsFor(batch, wire, () => next++)
          for (const request of requests) {
            // Repeating is safe only for a request to one partition: of a request to several, a part may be written.
            const [first, rest] = begun ? [[], request] : firstPartition(request)
            if (first.length > 0) await whileConcurrent(() => append(first))
            begun = true
            if (rest.length > 0) await append(rest)
          }
          return placesOf(requests)
        }),
      commit: () =>
        step('Committing a transaction', async () => {
          await transaction.commit()
          open = null
        }),
      abort: () =>
        step('Aborting a transaction', async () => {
          await transaction.abort()
          open = null
        }),
    }
  }

  return {
    begin: () =>
      step('Beginning a transaction', async () => {
        open = await client.transaction()
        return inTransaction(open)
      }),
    async close() {
      dead = true
      const left = open
      open = null
      // Best effort: readers need not wait for the transaction timeout. A fenced producer is simply told so.
      if (left) await Promise.race([left.abort().catch(() => undefined), sleep(abortForMs, undefined, { ref: false })])
      await client.disconnect().catch(() => undefined)
    },
  }
}

/** Repeats the first request of a transaction while the coordinator still ends the one before it. */
async function whileConcurrent<T>(run: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + concurrentForMs
  for (;;) {
    try {
      return await run()
    } catch (error) {
      if (!isConcurrentTransactions(error) || Date.now() > deadline) throw error
      await sleep(concurrentEveryMs)
    }
  }
}
