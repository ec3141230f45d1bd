// Every way of being refused has its code and a sentence that says what to do; a lost connection is no refusal.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { asFault, isTransient } from '../../../src/kafka/faults.ts'
import { tlsRefusal } from '../../../src/kafka/refusals.ts'
import { original } from './encoded-batches.ts'

const { createErrorFromCode } = original<{ readonly createErrorFromCode: (code: number) => Error }>('protocol/error')
const errors = original<Record<string, new (...args: unknown[]) => Error>>('errors')
const connection = (message: string, code?: string) =>
  new errors['KafkaJSConnectionError']!(message, { broker: 'b:1', code })
const given = (error: Error) => new errors['KafkaJSNonRetriableError']!(error, { cause: error })

test('certificates that are not good are TW_TLS_FAILED, named with broker and cause, and final', () => {
  const cases = [
    ['CERT_HAS_EXPIRED', /broker b:1: the certificate has expired/],
    ['CERT_NOT_YET_VALID', /not valid yet/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', /for another host name/],
    ['SELF_SIGNED_CERT_IN_CHAIN', /not trusted here/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /not trusted here/],
    ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', /not trusted here/],
    ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', /not trusted here/],
    ['ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED', /our side was refused/],
    ['ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE', /our side was refused/],
    ['ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE', /our side was refused/],
    ['ERR_SSL_WRONG_VERSION_NUMBER', /does not speak TLS/],
    ['CERT_REVOKED', /the certificate is not valid/],
  ] as const
  for (const [code, sentence] of cases) {
    const fault = asFault(given(connection('Connection error: x', code)), 'TW_BROKER_UNAVAILABLE', 'Connecting')
    assert.equal(fault.code, 'TW_TLS_FAILED', code)
    assert.match(fault.message, sentence)
    assert.ok(fault.message.includes(code))
    assert.equal(fault.retriable, false)
    assert.equal(isTransient(connection('Connection error: x', code)), false, code)
  }
})

test('the same is known by the message alone, as the library of the registry tells it', () => {
  assert.match(tlsRefusal({ message: 'api - certificate has expired' }) ?? '', /expired/)
  assert.match(tlsRefusal({ message: 'self-signed certificate in certificate chain' }) ?? '', /not trusted/)
  assert.match(tlsRefusal({ message: 'unable to verify the first certificate' }) ?? '', /not trusted/)
  const altnames = "Hostname/IP does not match certificate's altnames: IP: 127.0.0.1 is not in the cert's list: "
  assert.match(tlsRefusal({ message: altnames }) ?? '', /another host name/)
  assert.equal(tlsRefusal({ message: 'socket hang up' }), null)
})

test('network faults stay what they are', () => {
  for (const code of ['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', undefined]) {
    const error = connection('Connection error: x', code)
    assert.equal(isTransient(error), true, code)
    assert.equal(asFault(error, 'TW_BROKER_UNAVAILABLE', 'Connecting').code, 'TW_BROKER_UNAVAILABLE')
  }
})

test('a refused user is TW_AUTHENTICATION_FAILED; an authentication that was cut off is tried again', () => {
  const sasl = (reason: string) =>
    new errors['KafkaJSSASLAuthenticationError']!(`SASL SCRAM SHA256 authentication failed: ${reason}`)
  const refused = [
    sasl('Authentication failed during authentication due to invalid credentials with SASL mechanism SCRAM-SHA-256'),
    createErrorFromCode(33),
    createErrorFromCode(58),
  ]
  for (const error of refused) {
    assert.equal(asFault(error, 'TW_BROKER_UNAVAILABLE', 'x').code, 'TW_AUTHENTICATION_FAILED', error.message)
    assert.equal(isTransient(error), false)
  }
  for (const reason of [
    'Closed connection',
    'Connection error: read ECONNRESET',
    'Request SaslAuthenticate timed out',
  ]) {
    assert.equal(isTransient(sasl(reason)), true, reason)
    assert.equal(asFault(sasl(reason), 'TW_BROKER_UNAVAILABLE', 'x').code, 'TW_BROKER_UNAVAILABLE')
  }
})

test('missing rights are TW_NOT_AUTHORIZED, inside aggregates too', () => {
  for (const code of [29, 30, 31, 53]) {
    const fault = asFault(given(createErrorFromCode(code)), 'TW_PRODUCE_FAILED', 'Producing to t')
    assert.equal(fault.code, 'TW_NOT_AUTHORIZED')
    assert.match(fault.message, /^Producing to t: the brokers do not let this user use /)
  }
  const aggregate = new errors['KafkaJSAggregateError']!('Topic creation errors', [createErrorFromCode(29)])
  assert.equal(asFault(aggregate, 'TW_BROKER_UNAVAILABLE', 'x').code, 'TW_NOT_AUTHORIZED')
})
