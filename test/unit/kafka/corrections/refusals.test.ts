// What kafkajs hides or retries although it is final, on kafkajs' own classes.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parsingTheCause, tellingRefusal } from '../../../../src/kafka/corrections/refusals.ts'
import { kafkajsModule } from '../../../../src/kafka/kafkajs.ts'

const { createErrorFromCode } = kafkajsModule<{ createErrorFromCode: (code: number) => Error & { code: number } }>(
  'protocol/error',
)
type NewError = new (message: string, options: object) => Error & { retriable: boolean }
const { KafkaJSConnectionError } = kafkajsModule<{ KafkaJSConnectionError: NewError }>('errors')

test('a certificate that is refused makes the connection error final; a connection that is refused does not', () => {
  interface Rejecting {
    rejectRequests(error: Error): void
  }
  const { prototype } = kafkajsModule<{ prototype: Rejecting }>('network/connection')
  const rejected: Error[] = []
  const self = { requestQueue: { rejectAll: (error: Error) => rejected.push(error) } }
  const expired = new KafkaJSConnectionError('Connection error: certificate has expired', { code: 'CERT_HAS_EXPIRED' })
  const away = new KafkaJSConnectionError('Connection error: connect', { code: 'ECONNREFUSED' })
  for (const error of [expired, away]) prototype.rejectRequests.call(self, error)
  assert.deepEqual(rejected, [expired, away])
  assert.deepEqual([expired.retriable, away.retriable], [false, true])
})

test('withBroker passes a refusal on, and still asks the next broker after other failures', async () => {
  const brokers = [1, 2]
  const original = async function (this: object, callback: (found: object) => Promise<unknown>) {
    for (const nodeId of brokers)
      try {
        return await callback({ nodeId })
      } catch {
        continue
      }
    return null
  }
  const withBroker = tellingRefusal(original)
  await assert.rejects(
    withBroker.call({}, async () => Promise.reject(createErrorFromCode(30))),
    { code: 30 },
  )
  assert.equal(await withBroker.call({}, async () => Promise.reject(new Error('socket'))), null)
  let asked = 0
  const second = () => (asked++ === 0 ? Promise.reject(createErrorFromCode(29)) : Promise.resolve('answer'))
  assert.equal(await withBroker.call({}, second), 'answer')
})

test('of an AddPartitionsToTxn answer the cause is thrown, not "not attempted"', async () => {
  const answer = (...codes: number[]) => ({ errors: codes.map(errorCode => ({ partitionErrors: [{ errorCode }] })) })
  const parse = parsingTheCause(createErrorFromCode)
  await assert.rejects(parse(answer(0, 55, 29)), { code: 29 })
  await assert.rejects(parse(answer(55)), { code: 55 })
  assert.deepEqual(await parse(answer(0, 0)), answer(0, 0))
  for (const version of [0, 1]) {
    const used = kafkajsModule<{ parse: typeof parse }>(`protocol/requests/addPartitionsToTxn/v${version}/response`)
    await assert.rejects(used.parse(answer(55, 53)), { code: 53 }, `version ${version}`)
  }
})
