// kafkajs' wrapped errors in our terms.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { twError } from '../../../src/errors.ts'
import {
  asFault,
  isFenced,
  isRebalanced,
  isTransient,
  memberFault,
  protocolCode,
  transactionFault,
} from '../../../src/kafka/faults.ts'
import { original } from './encoded-batches.ts'

const { createErrorFromCode } = original<{ readonly createErrorFromCode: (code: number) => Error }>('protocol/error')
const errors = original<Record<string, new (...args: unknown[]) => Error>>('errors')
const wrapped = (cause: Error) => new errors['KafkaJSNumberOfRetriesExceeded']!(cause, { retryCount: 0, retryTime: 1 })

test('the protocol code is found through wrappers, and where kafkajs does not know it', () => {
  assert.equal(protocolCode(wrapped(createErrorFromCode(10))), 10)
  assert.equal(protocolCode(createErrorFromCode(90)), 90)
  assert.equal(protocolCode(new Error('socket')), null)
  const loop = new Error('loop')
  loop.cause = loop
  assert.equal(protocolCode(loop), null)
})

test('fenced: 47, 48, 45, 59 and 90; rebalanced: 22, 25, 27', () => {
  const codes = Array.from({ length: 121 }, (_, code) => code)
  assert.deepEqual(
    codes.filter(code => isFenced(createErrorFromCode(code))),
    [45, 47, 48, 59, 90],
  )
  assert.deepEqual(
    codes.filter(code => isRebalanced(createErrorFromCode(code))),
    [22, 25, 27],
  )
})

test('transient: coordinators and leaders that move, lost connections; not: refusals, defects, our own verdicts', () => {
  for (const code of [3, 5, 6, 7, 14, 15, 16, 19, 51]) {
    assert.equal(isTransient(wrapped(createErrorFromCode(code))), true, `code ${code}`)
  }
  for (const code of [17, 29, 30, 50, 53]) assert.equal(isTransient(createErrorFromCode(code)), false, `code ${code}`)
  assert.equal(isTransient(new errors['KafkaJSConnectionClosedError']!('closed', { host: 'h', port: 1 })), true)
  assert.equal(isTransient(new errors['KafkaJSSASLAuthenticationError']!('no')), false)
  assert.equal(isTransient(new TypeError('defect')), false)
  assert.equal(isTransient(wrapped(twError('TW_CODEC_UNSUPPORTED', 'codec'))), false)
})

test('a member that cannot be one says why: foreign members (23), replaced under its name (82), anything else', () => {
  for (const [code, expected] of [
    [23, 'TW_GROUP_FOREIGN'],
    [82, 'TW_INSTANCE_FENCED'],
    [24, 'TW_CONSUMER_CRASHED'],
  ] as const) {
    const fault = memberFault(wrapped(createErrorFromCode(code)), 'the-group')
    assert.equal(fault.code, expected)
    assert.match(fault.message, /the-group/)
  }
})

test('our own error inside the chain is what surfaces', () => {
  const ours = twError('TW_CODEC_UNSUPPORTED', 'codec')
  assert.equal(asFault(wrapped(ours), 'TW_CONSUMER_CRASHED', 'x'), ours)
  assert.equal(transactionFault(createErrorFromCode(47), 'x').code, 'TW_FENCED')
  assert.equal(transactionFault(createErrorFromCode(10), 'x').code, 'TW_RECORD_TOO_LARGE')
  assert.equal(transactionFault(createErrorFromCode(7), 'x').code, 'TW_TRANSACTION_FAILED')
})
