import assert from 'node:assert/strict'
import { test } from 'node:test'
import { outcomeOf } from '../../../src/normalize/outcome.ts'
import type { Outcome } from '../../../src/normalize/event.ts'

const codes: readonly (readonly [Outcome, readonly string[]])[] = [
  [
    'DENIED',
    [
      'AccessDenied',
      'AccessDeniedException',
      'Client.AccessDenied',
      'Client.UnauthorizedOperation',
      'UnauthorizedOperation',
      'UnauthorizedAccess',
      'VpceAccessDenied',
    ],
  ],
  [
    'NOT_FOUND',
    [
      'ResourceNotFoundException',
      'NoSuchEntityException',
      'NoSuchBucket',
      'NoSuchBucketPolicy',
      'Client.InvalidInstanceID.NotFound',
      'DBInstanceNotFoundFault',
      'ServerSideEncryptionConfigurationNotFoundError',
    ],
  ],
  [
    'THROTTLED',
    ['Throttling', 'ThrottlingException', 'Client.RequestLimitExceeded', 'SlowDown', 'TooManyRequestsException'],
  ],
  [
    'ERROR',
    [
      'DecryptionFailure',
      'InvalidRequestException',
      'LimitExceededException',
      'AccessDeniedButNot',
      'xAccessDenied',
      'accessdenied',
      'AccessDenied\n',
      'NotFoundation',
      'constructor',
      '__proto__',
    ],
  ],
]

for (const [outcome, list] of codes) {
  test(`${list.slice(0, 3).join(', ')} and their like are ${outcome}`, () => {
    for (const code of list) assert.equal(outcomeOf(code, 'some text'), outcome, code)
  })
}

test('a call is a success only with neither code nor message', () => {
  assert.equal(outcomeOf(null, null), 'SUCCESS')
  assert.equal(outcomeOf('', ''), 'SUCCESS')
  assert.equal(outcomeOf(null, 'Failed authentication'), 'ERROR')
  assert.equal(outcomeOf('AccessDenied', null), 'DENIED')
})
