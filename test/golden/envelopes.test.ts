// Golden test of the normalizer on one fixture per envelope: every event, skip and refusal, recorded as JSON lines.
// Record anew with GOLDEN_UPDATE=1 and read the difference before committing it.
import assert from 'node:assert/strict'
import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { eventToJson } from '../../src/normalize/json.ts'
import { normalizeBytes } from '../../src/normalize/raw-value.ts'
import { keepAll } from '../unit/normalize/options.ts'

const fixtures = new URL('../fixtures/envelopes/', import.meta.url)
const recorded = new URL('./envelopes.recorded.txt', import.meta.url)

function normalized(name: string): string[] {
  const lines: string[] = []
  normalizeBytes(readFileSync(new URL(name, fixtures)), keepAll, {
    event: event => lines.push(eventToJson(event)),
    skipped: kind => lines.push(JSON.stringify({ skipped: kind })),
    rejected: rejected => lines.push(JSON.stringify(rejected)),
  })
  return lines
}

describe('the normalizer on recorded envelopes', () => {
  const found = new Map(
    readdirSync(fixtures)
      .toSorted()
      .map(name => [name, normalized(name)]),
  )
  if (process.env.GOLDEN_UPDATE === '1') {
    const text = [...found].map(([name, lines]) => [`== ${name}`, ...lines, ''].join('\n')).join('\n')
    writeFileSync(recorded, text)
  }
  const expected = new Map(
    readFileSync(recorded, 'utf8')
      .split(/^== /m)
      .slice(1)
      .map(part => {
        const [name = '', ...lines] = part.trimEnd().split('\n')
        return [name, lines] as const
      }),
  )

  test('has every fixture recorded, and nothing else', () => {
    assert.deepEqual([...expected.keys()], [...found.keys()])
  })

  for (const [name, lines] of found) {
    test(`${name} gives what was recorded`, () => assert.deepEqual(lines, expected.get(name)))
  }
})
