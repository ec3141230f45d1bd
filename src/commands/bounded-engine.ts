// An engine over any number of principals in bounded memory: the states of those that events leave alone rest as bytes.
// For the order of arrival, in which the principals of a topic mingle; there is no changelog whose records could serve.
import { StateDecoder, StateEncoder } from '../codecs/principal-state.ts'
import { Engine } from '../detect/engine.ts'
import type { EngineOptions } from '../detect/engine.ts'
import type { EngineTransaction } from '../detect/engine-transaction.ts'
import type { RuleSet } from '../rules/rule.ts'
import { topicContract } from '../topics.ts'

const schemaId = 1
const schema = topicContract('STATE_TOPIC').schema!
const encoder = new StateEncoder(schema)
const decoder = new StateDecoder(schema)
decoder.learn(schemaId, schema)

/** States take the bytes of their changelog records, about a kilobyte each. */
export class BoundedEngine {
  readonly #engine: Engine

  constructor(rules: RuleSet, options: EngineOptions) {
    this.#engine = new Engine(rules, { ...options, stored: decoder })
  }

  begin(): EngineTransaction {
    return this.#engine.begin()
  }

  /** Makes the changes of a transaction the state. */
  merge(transaction: EngineTransaction): void {
    for (const [key, record] of transaction.changes())
      if (record !== null) transaction.rest(key, encoder.write(record, schemaId))
    transaction.merge()
  }

  /** Principals with state. */
  get principals(): number {
    return this.#engine.principals
  }
}
