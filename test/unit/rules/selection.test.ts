// Search identifiers: maps are and, lists of maps are or, keyword lists search the whole event.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventWith } from './events.ts'
import { detection, errorsOf, load, selectionErrors, selects } from './loading.ts'

function block(selection: string): (fields: Parameters<typeof eventWith>[0]) => boolean {
  const { rules } = load(detection(`selection:\n${selection}\ncondition: selection`))
  return fields => rules.match(eventWith(fields)).length > 0
}

test('the keys of a map are joined with and', () => {
  const matches = selects('awsRegion: eu-west-1\nuserAgent|contains: cli')
  assert.equal(matches(eventWith({ awsRegion: 'eu-west-1', userAgent: 'aws-cli' })), true)
  assert.equal(matches(eventWith({ awsRegion: 'eu-west-2', userAgent: 'aws-cli' })), false)
  assert.equal(matches(eventWith({ awsRegion: 'eu-west-1', userAgent: 'boto' })), false)
})

test('an escaped wildcard in a list of plain values is the character, not the escape', () => {
  const matches = selects("userAgent: ['a\\*b', zzz]")
  assert.equal(matches(eventWith({ userAgent: 'a*b' })), true)
  assert.equal(matches(eventWith({ userAgent: 'A*B' })), true)
  assert.equal(matches(eventWith({ userAgent: 'a\\*b' })), false)
})

test('what a record does not have is null and does not exist, also where the topic writes it empty', () => {
  for (const field of ['awsRegion', 'recipientAccountId', 'eventID']) {
    const empty = { awsRegion: '', recipientAccountId: '', eventId: '' }
    assert.equal(selects(`${field}: null`)(eventWith(empty)), true, field)
    assert.equal(selects(`${field}|exists: true`)(eventWith(empty)), false, field)
    assert.equal(selects(`${field}|exists: false`)(eventWith(empty)), true, field)
  }
})

test('the maps of a list are joined with or', () => {
  const matches = block('  - awsRegion: eu-west-1\n    userAgent: a\n  - awsRegion: eu-west-2')
  assert.equal(matches({ awsRegion: 'eu-west-1', userAgent: 'a' }), true)
  assert.equal(matches({ awsRegion: 'eu-west-1', userAgent: 'b' }), false)
  assert.equal(matches({ awsRegion: 'eu-west-2', userAgent: 'b' }), true)
})

test('one field may be asked twice with different modifiers', () => {
  const matches = selects('userAgent|startswith: a\nuserAgent|endswith: z')
  assert.equal(matches(eventWith({ userAgent: 'a-z' })), true)
  assert.equal(matches(eventWith({ userAgent: 'a-y' })), false)
})

test('keywords are looked for in every text of the event, JSON texts and secrets included', () => {
  const matches = block("  - mimikatz\n  - 'prod/*/db'")
  assert.equal(matches({ userAgent: 'x Mimikatz y' }), true)
  assert.equal(matches({ errorMessage: 'mimikatz' }), true)
  assert.equal(matches({ requestParameters: '{"command":["run mimikatz"]}' }), true)
  assert.equal(matches({ responseElements: '{"a":"MIMIKATZ"}' }), true)
  assert.equal(matches({ secrets: ['1:eu-west-1:prod/app/db'] }), true)
  assert.equal(matches({ userIdentity: { userName: 'mimikatz' } }), true)
  assert.equal(matches({ userAgent: 'prod/db' }), false)
  assert.equal(matches({}), false)
})

test('keywords with all must all occur, each anywhere', () => {
  const matches = block("  '|all':\n    - alpha\n    - beta")
  assert.equal(matches({ userAgent: 'alpha', errorMessage: 'beta' }), true)
  assert.equal(matches({ userAgent: 'alpha' }), false)
})

test('keywords take regular expressions and a single one needs no list', () => {
  assert.equal(block("  '|re': 'mimi[kK]atz'")({ userAgent: 'mimiKatz' }), true)
  const { rules } = load(detection('keywords: mimikatz\ncondition: keywords'))
  assert.equal(rules.match(eventWith({ userAgent: 'Mimikatz' })).length, 1)
})

test('maps and keywords may share a list', () => {
  const matches = block('  - alpha\n  - awsRegion: eu-west-2')
  assert.equal(matches({ userAgent: 'alpha' }), true)
  assert.equal(matches({ awsRegion: 'eu-west-2' }), true)
  assert.equal(matches({}), false)
})

test('an empty selection, a list in a list and a nested map are refused', () => {
  assert.match(
    errorsOf(detection('selection: {}\ncondition: selection'))[0] ?? '',
    /the selection is empty and would match every event/,
  )
  assert.match(errorsOf(detection('selection: []\ncondition: selection'))[0] ?? '', /the list is empty/)
  assert.match(
    errorsOf(detection('selection:\n  - [a]\ncondition: selection'))[0] ?? '',
    /:6:7: a list stands inside a list/,
  )
  assert.match(
    selectionErrors('userIdentity:\n  type: Root')[0] ?? '',
    /no CloudTrail event has a field 'userIdentity'/,
  )
})
