// The client's log as an operator sees it: what kafkajs retries itself is quiet, nothing secret is passed on.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectionOf, forward } from '../../../src/kafka/connection.ts'
import { kafkajs } from '../../../src/kafka/kafkajs.ts'

const { ERROR, WARN, INFO } = kafkajs.logLevel

function logged(level: number, log: Record<string, unknown>) {
  const lines: { at: string; fields: Readonly<Record<string, unknown>>; sentence: string }[] = []
  const at = (name: string) => (fields: Readonly<Record<string, unknown>>, sentence: string) => {
    lines.push({ at: name, fields, sentence })
  }
  const logger = { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
  forward({ level, namespace: 'Connection', log: { timestamp: '', message: '', ...log } }, logger)
  assert.equal(lines.length, 1)
  return lines[0]
}

test('errors that kafkajs or its caller deals with are debug, others warn, information is debug', () => {
  const concurrent = {
    message: 'Response AddOffsetsToTxn',
    error: 'The producer attempted to update a transaction while another concurrent operation',
  }
  assert.equal(logged(ERROR, concurrent)?.at, 'debug')
  assert.equal(logged(ERROR, { message: 'The group is rebalancing, re-joining' })?.at, 'debug')
  assert.equal(logged(ERROR, { message: 'SASL PLAIN authentication failed' })?.at, 'warn')
  assert.equal(logged(WARN, { message: 'Something else' })?.at, 'warn')
  assert.equal(logged(INFO, { message: 'Starting' })?.at, 'debug')
})

test('only known fields are passed on', () => {
  const line = logged(ERROR, { message: 'm', broker: 'b:1', password: 'hunter2', payload: { data: 'x' }, stack: 's' })
  assert.deepEqual(line?.fields, { component: 'kafkajs/Connection', broker: 'b:1' })
})

test('no brokers is a configuration error', () => {
  const quiet = () => undefined
  const logger = { debug: quiet, info: quiet, warn: quiet, error: quiet }
  assert.throws(() => connectionOf({ brokers: [], clientId: 'c' }, logger), { code: 'TW_CONFIG_INVALID' })
})
