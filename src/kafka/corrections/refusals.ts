// Failures that no retry heals, where kafkajs hides them or tries again. Wraps Connection.prototype.rejectRequests,
// BrokerPool.prototype.withBroker and the parser of AddPartitionsToTxn answers. Why: a certificate that is refused counts
// as a connection error, which kafkajs retries; a refused FindCoordinator is swallowed and becomes "not found"; and of an
// AddPartitionsToTxn answer kafkajs takes the first error, which may only say that another partition was refused.

import { isRefused } from '../faults.ts'

type RejectRequests = (this: object, error: Error & { retriable?: boolean }) => void

/** rejectRequests that marks failed handshakes as final; kafkajs rejects connecting with the same error object. */
export function failingOnRefusal(original: RejectRequests): RejectRequests {
  return function rejectRequests(error) {
    if (isRefused(error)) error.retriable = false
    original.call(this, error)
  }
}

type Callback = (found: object) => Promise<unknown>
type WithBroker = (this: object, callback: Callback) => Promise<unknown>

/** withBroker that passes a refusal on instead of asking the next broker and answering null in the end. */
export function tellingRefusal(original: WithBroker): WithBroker {
  return async function withBroker(callback) {
    const refusals: Error[] = []
    const answer = await original.call(this, async found => {
      try {
        return await callback(found)
      } catch (error) {
        if (error instanceof Error && isRefused(error)) refusals.push(error)
        throw error
      }
    })
    const [refusal] = refusals
    if (answer === null && refusal) throw refusal
    return answer
  }
}

/** A decoded AddPartitionsToTxn answer. */
export interface AddPartitionsToTxnAnswer {
  readonly errors: readonly { readonly partitionErrors: readonly { readonly errorCode: number }[] }[]
}

// "This partition is fine, another one is not": https://kafka.apache.org/protocol#protocol_error_codes
const operationNotAttempted = 55

/** The parser of AddPartitionsToTxn answers: throws the first error that says what is wrong. */
export function parsingTheCause(createErrorFromCode: (code: number) => Error) {
  return async function parse<T extends AddPartitionsToTxnAnswer>(data: T): Promise<T> {
    const codes = data.errors
      .flatMap(({ partitionErrors }) => partitionErrors.map(({ errorCode }) => errorCode))
      .filter(code => code !== 0)
    const code = codes.find(one => one !== operationNotAttempted) ?? codes[0]
    if (code !== undefined) throw createErrorFromCode(code)
    return data
  }
}
