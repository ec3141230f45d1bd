// docs/alerts.md against the schema and the code: every field, header, placeholder, selectable fact and cap is in it.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { alertHeaders } from '../../src/alerts/headers.ts'
import { alertToJson } from '../../src/alerts/json.ts'
import { runbookPlaceholders } from '../../src/alerts/runbook.ts'
import { loadSuppressions } from '../../src/alerts/suppressions.ts'
import { listFields } from '../../src/alerts/alert-fields.ts'
import { caps } from '../../src/detect/facts.ts'
import { rateAlert, regionAlert } from '../unit/alerts/samples.ts'

const doc = readFileSync(new URL('../../docs/alerts.md', import.meta.url), 'utf8')
const schema = JSON.parse(
  readFileSync(new URL('../../topics/cloudtrail.alerts.v1/value.avsc', import.meta.url), 'utf8'),
) as { fields: { name: string }[] }

function section(title: string): string {
  const start = doc.indexOf(`\n## ${title}\n`)
  assert.notEqual(start, -1, title)
  const end = doc.indexOf('\n## ', start + 4)
  return doc.slice(start, end === -1 ? undefined : end)
}

/** First cells of the table rows of a section, each name by itself. */
function documented(title: string): string[] {
  const rows = section(title).matchAll(/^\| (`[^|]*) \|/gm)
  return Array.from(rows, row => row[1] ?? '').flatMap(cell => Array.from(cell.matchAll(/`([^`]+)`/g), m => m[1] ?? ''))
}

test('the fields are those of the schema, in its order, and of the JSON view', () => {
  const fields = schema.fields.map(field => field.name)
  assert.deepEqual(Object.keys(JSON.parse(alertToJson(regionAlert())) as object), fields)
  assert.deepEqual(documented('Fields').toSorted(), fields.toSorted())
})

test('nested fields of evidence and anomaly are named', () => {
  const text = section('Fields')
  const [sample] = rateAlert().evidence
  for (const name of [
    ...Object.keys(sample!),
    ...Object.keys(sample!.userIdentity),
    ...Object.keys(rateAlert().anomaly!),
  ]) {
    assert.ok(text.includes(`\`${name}\``), name)
  }
})

test('the headers are those that are written', () => {
  assert.deepEqual(documented('Headers'), Object.keys(alertHeaders(regionAlert(), '/s', 'application/avro')))
})

test('the caps are those of the detector', () => {
  const row = (field: string): string =>
    section('Fields')
      .split('\n')
      .find(line => line.includes(`\`${field}\``) && line.startsWith('| `')) ?? ''
  for (const field of [...listFields, 'distinctValues'] as const) {
    assert.match(row(field), new RegExp(`at most ${caps[field]}\\b`), field)
  }
  assert.match(row('evidence'), new RegExp(`up to ${caps.evidence} `))
})

test('the placeholders are those that are filled', () => {
  const names = Array.from(section('Placeholders of runbooks').matchAll(/`\{([A-Za-z.]+)\}`/g), match => match[1] ?? '')
  assert.deepEqual(
    names.filter(name => name !== 'name'),
    runbookPlaceholders,
  )
})

test('the example of a suppression loads, and every list can be selected by', () => {
  const text = section('Suppressions')
  const example = text
    .slice(text.indexOf('    suppressions:'), text.indexOf('All six keys'))
    .replaceAll('\n    ', '\n')
    .trim()
  const result = loadSuppressions(example, 'docs/alerts.md', 0)
  assert.ok('suppressions' in result, JSON.stringify(result))
  assert.equal(result.suppressions[0]?.id, 'monthly-inventory')
  for (const field of listFields) assert.ok(text.includes(`\`${field}\``), field)
})
