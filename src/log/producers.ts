// The two producers of the in-process log, as the LogClient port has them.
// A plain send is one atomic append. A transactional producer is dead after its first failure, whatever it was.
import { twError } from '../errors.ts'
import { gated } from './gate.ts'
import type { Gate } from './gate.ts'
import type { Producer, TopicRecords, Transaction, TransactionalProducer } from './log-client.ts'
import type { TopicStore } from './topic-store.ts'
import type { TransactionCoordinator } from './transactions.ts'

/**
 * Appends without a transaction. There is no network to fail, so nothing is redone: a failure comes from the data
 * (TW_TOPIC_MISSING, TW_RECORD_TOO_LARGE, TW_PRODUCE_FAILED) or from the gate, and reaches the caller as it is.
 */
export function inProcessProducer(store: TopicStore, gate: Gate): Producer {
  let closed = false
  return {
    send: async batch => {
      if (closed) throw twError('TW_PRODUCER_DEAD', 'The producer is closed.')
      return gated(gate, 'producer.send', () => [...store.append(batch, null).values()])
    },
    close: async () => {
      closed = true
    },
  }
}

/** A producer for one transactional id; it has fenced every earlier one when the promise resolves. */
export async function inProcessTransactionalProducer(
  coordinator: TransactionCoordinator,
  id: string,
  gate: Gate,
): Promise<TransactionalProducer> {
  const epoch = await gated(gate, 'transactional.init', () => coordinator.init(id))
  return new InProcessTransactionalProducer(coordinator, id, epoch, gate)
}

class InProcessTransactionalProducer implements TransactionalProducer {
  readonly #coordinator: TransactionCoordinator
  readonly #id: string
  readonly #epoch: number
  readonly #gate: Gate
  #state: 'ready' | 'in transaction' | 'dead' = 'ready'

  constructor(coordinator: TransactionCoordinator, id: string, epoch: number, gate: Gate) {
    this.#coordinator = coordinator
    this.#id = id
    this.#epoch = epoch
    this.#gate = gate
  }

  /** Local, as on Kafka: a fenced producer learns of it with the first call that reaches the coordinator. */
  async begin(): Promise<Transaction> {
    await this.#step('ready', 'transaction.begin', () => undefined)
    this.#state = 'in transaction'
    let over = false
    const call = async <T>(name: string, effect: () => T): Promise<T> => {
      if (over) throw twError('TW_TRANSACTION_FAILED', 'The transaction is over.')
      return this.#step('in transaction', `transaction.${name}`, effect)
    }
    const end = async (name: 'commit' | 'abort', state: 'committed' | 'aborted'): Promise<void> => {
      await call(name, () => this.#coordinator.end(this.#id, this.#epoch, state))
      over = true
      this.#state = 'ready'
    }
    return {
      sendOffsets: (group, topic, offsets) =>
        call('sendOffsets', () => this.#coordinator.sendOffsets(this.#id, this.#epoch, { group, topic, offsets })),
      send: (batch: readonly TopicRecords[]) =>
        call('send', () => this.#coordinator.send(this.#id, this.#epoch, batch)),
      commit: () => end('commit', 'committed'),
      abort: () => end('abort', 'aborted'),
    }
  }

  /** Aborts what is open, as far as that is still this producer's to abort: readers need not wait for its timeout. */
  async close(): Promise<void> {
    this.#state = 'dead'
    const abort = (): void => this.#coordinator.end(this.#id, this.#epoch, 'aborted')
    await gated(this.#gate, 'transactional.close', abort).catch(() => undefined)
  }

  async #step<T>(expected: 'ready' | 'in transaction', point: string, effect: () => T): Promise<T> {
    if (this.#state === 'dead')
      throw twError('TW_PRODUCER_DEAD', `The producer of ${this.#id} has failed or is closed.`)
    try {
      if (this.#state !== expected)
        throw twError('TW_TRANSACTION_FAILED', `The producer of ${this.#id} is ${this.#state}.`)
      return await gated(this.#gate, point, effect)
    } catch (error) {
      this.#state = 'dead'
      throw error
    }
  }
}
