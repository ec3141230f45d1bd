// No spelling of a secret survives, and nothing else is touched.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { masking } from '../../src/redaction.ts'

test('a secret is masked as it is, in JSON, in a URL, and in base64 with and without a user', () => {
  const secret = 'pa"ss/w\\ord?'
  const mask = masking([secret], ['warden'])
  const spellings = [
    secret,
    JSON.stringify({ secret }),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
    Buffer.from(`warden:${secret}`).toString('base64'),
  ]
  for (const text of spellings) assert.match(mask(`<${text}>`), /^<.*\*{8}.*>$/, text)
  const masked = mask(spellings.join(' '))
  for (const text of [secret, JSON.stringify(secret).slice(1, -1)]) assert.ok(!masked.includes(text))
})

test('text without a secret is as it was; without secrets, and for ones too short to be one, nothing happens', () => {
  assert.equal(masking(['hunter22'])('a hunter2 of 22'), 'a hunter2 of 22')
  assert.equal(masking([])('text'), 'text')
  assert.equal(masking(['e'])('every'), 'every')
})

test('a secret that contains another is masked whole', () => {
  assert.equal(masking(['abcd', 'abcdefgh'])('x abcdefgh y abcd'), 'x ******** y ********')
})

test('property: whatever the secret, a log line does not hold it', () => {
  fc.assert(
    fc.property(
      fc.string({ minLength: 4 }).filter(s => !s.includes('*')),
      fc.string(),
      (secret, around) => {
        const line = JSON.stringify({ message: `${around.replaceAll(secret, '')}${secret}` })
        assert.ok(!masking([secret])(line).includes(JSON.stringify(secret).slice(1, -1)))
      },
    ),
    { numRuns: 200 },
  )
})
