// Writes schemas/trailwarden-rule.schema.json, the JSON Schema with which editors complete and check rule files; `--check`
// fails when the file has drifted. Names come from the loader's own tables; a name that has no description here, or one
// that the loader does not know, stops the writing. test/contract/rule-schema.test.ts holds its bounds against the loader.
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { levels } from '../src/alerts/alert.ts'
import { fieldNames } from '../src/rules/cloudtrail-fields.ts'
import { operators } from '../src/rules/correlation-condition.ts'
import { correlationKeys, correlationTypes } from '../src/rules/correlation.ts'
import { extensionKeys } from '../src/rules/extension.ts'
import { statuses } from '../src/rules/metadata.ts'
import { modifierNames, regexFlags } from '../src/rules/modifiers.ts'
import { rateKeys } from '../src/rules/rate-parameters.ts'
import { eventDevices, maxEvents } from '../src/rules/rule-test-events.ts'
import { ruleTestKeys } from '../src/rules/rule-test.ts'
import { topicContract } from '../src/topics.ts'

const path = join(import.meta.dirname, '..', 'schemas', 'trailwarden-rule.schema.json')

type Json = Readonly<Record<string, unknown>>

/** The properties for exactly these keys, in their order. @throws Error naming keys on one side only */
function exactly(what: string, keys: readonly string[], properties: Json): Json {
  const described = Object.keys(properties)
  const differing = [...keys.filter(key => !described.includes(key)), ...described.filter(key => !keys.includes(key))]
  if (differing.length > 0) throw new Error(`${what}: the loader and this script differ in ${differing.join(', ')}`)
  return Object.fromEntries(keys.map(key => [key, properties[key]]))
}

const text = (description: string): Json => ({ type: 'string', minLength: 1, description })
const texts = (description: string): Json => ({
  description,
  anyOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string', minLength: 1 } },
  ],
})
const span = (description: string): Json => ({ type: 'string', pattern: '^\\d{1,9}[smhdw]$', description })
const whole = (minimum: number, maximum: number, description: string): Json => ({
  type: 'integer',
  minimum,
  maximum,
  description,
})
const real = (minimum: number, maximum: number, description: string): Json => ({
  type: 'number',
  minimum,
  maximum,
  description,
})
const closed = (properties: Json, more: Json = {}): Json => ({
  type: 'object',
  additionalProperties: false,
  properties,
  ...more,
})

function rateAnomaly(): Json {
  const properties = exactly('rate-anomaly', rateKeys, {
    denied: text('The detection rule whose events are the denials.'),
    distinct: text('Field whose distinct values among the denials are counted; default secrets.'),
    'min-count': whole(1, 1_000_000, 'Denials in the window, at least; default 5.'),
    'min-distinct': whole(1, 1000, 'Distinct values among them, at least; default 3; never above min-count.'),
    alpha: real(1e-300, 0.5, 'A count less probable than this is anomalous; default 1e-6. Lower is quieter.'),
    tau: span("Time constant of the history's weights, 1h to 365d; default 7d."),
    filters: whole(0, 8, 'How hard the last hours are kept out of the history; default 3.'),
    'prior-shape': real(0.001, 1000, 'Denials that a principal without history is assumed to have had; default 0.5.'),
    'prior-exposure': span('In so much time, 1m to 365d; default 10h.'),
    dispersion: real(0, 1000, 'How unsteady a principal is assumed to be; default 2.'),
    'dispersion-blocks': real(0, 1_000_000, 'Windows of history that this assumption weighs; default 48.'),
    'success-within': span('A success so soon after the denials raises the severity, up to 1d; default 1h.'),
    model: {
      enum: ['shared', 'first-denials'],
      description: 'first-denials judges secrets never denied before apart.',
    },
  })
  return closed(properties, {
    required: ['denied'],
    description: "Denials against the principal's own history; only with correlation type rate_anomaly.",
  })
}

/** What an expected alert may say: the fields of the alert topic. */
function expectedAlert(): Json {
  const { fields } = topicContract('ALERTS_TOPIC').schema as {
    readonly fields: readonly { name: string; doc: string }[]
  }
  return {
    type: 'object',
    description: 'Fields of the last alert of an episode; texts may hold * and ?, times may be +8m.',
    properties: Object.fromEntries(fields.map(({ name, doc }) => [name, { description: doc }])),
  }
}

function ruleTest(): Json {
  const devices = exactly('events', eventDevices, {
    vary: { type: 'object', description: 'Values by path, one per copy, in turn; {n} is the number of the copy.' },
    repeat: whole(1, maxEvents, 'How many copies.'),
    every: span('Time between copies, default 1s.'),
  })
  const event = {
    type: 'object',
    description: 'A raw CloudTrail record; what does not matter may be left out.',
    properties: {
      ...devices,
      eventSource: text('Such as secretsmanager.amazonaws.com.'),
      eventName: text('Such as GetSecretValue.'),
      eventTime: text('RFC 3339, or +90s from the start of the test.'),
    },
  }
  const properties = exactly('tests', ruleTestKeys, {
    name: text('What it shows.'),
    base: { type: 'object', description: 'Keys that every event begins with.' },
    events: { description: 'What happened.', anyOf: [{ type: 'array', items: event }, event] },
    alerts: {
      description: 'How many episodes, or what each looks like in the end.',
      anyOf: [
        { type: 'integer', minimum: 0, maximum: maxEvents },
        { type: 'array', items: expectedAlert() },
        expectedAlert(),
      ],
    },
    matches: {
      description: 'How many events match the detection, or whether each does.',
      anyOf: [
        { type: 'integer', minimum: 0, maximum: maxEvents },
        { type: 'array', items: { type: 'boolean' } },
        { type: 'boolean' },
      ],
    },
  })
  return closed(properties, {
    required: ['name', 'events'],
    anyOf: [{ required: ['alerts'] }, { required: ['matches'] }],
  })
}

function extension(): Json {
  const properties = exactly('trailwarden', extensionKeys, {
    dedup: span('An episode ends when the condition has not held for so long, 1s to 7d; default 10m.'),
    'max-episode': span('An episode ends after so long at the latest, 1m to 30d; default 1d.'),
    lateness: span("Events older than the principal's newest minus this are not evaluated, up to 1d; default 15m."),
    runbook: text('Markdown with placeholders such as {principal.name}; docs/alerts.md lists them.'),
    'summary-fields': texts("Fields that matter to an analyst: shown in the alert's evidence."),
    'rate-anomaly': rateAnomaly(),
    tests: { description: 'Run by `trailwarden test`.', anyOf: [{ type: 'array', items: ruleTest() }, ruleTest()] },
  })
  return closed(properties, { description: 'What Sigma has no words for. An unknown key is an error.' })
}

function correlation(): Json {
  const supported = correlationTypes.filter(type => !type.startsWith('temporal'))
  const bounds = Object.fromEntries(operators.map(operator => [operator, whole(0, 10_000, 'Bound of the count.')]))
  const properties = exactly('correlation', correlationKeys, {
    type: { enum: supported, description: 'What is counted; rate_anomaly compares with the history.' },
    rules: texts('Names or ids of the detection rules whose events are counted.'),
    'group-by': texts('principal, and further fields after it.'),
    timespan: span('How far back a window reaches, 1s to 31d.'),
    condition: closed(
      { field: texts('value_count: the field whose distinct values are counted.'), ...bounds },
      { description: 'When it fires; several bounds are a range.' },
    ),
    aliases: { type: 'object', description: 'One name for fields that the rules call differently.' },
    generate: { type: 'boolean', description: 'Whether the detection rules alert too; default false.' },
  })
  return closed(properties, {
    required: ['type', 'rules', 'group-by', 'timespan'],
    if: { properties: { type: { const: 'rate_anomaly' } } },
    then: { not: { required: ['condition'] } },
    else: { required: ['condition'] },
    description: 'Counts matching events per principal on event time.',
  })
}

function detection(): Json {
  const modifiers = [...modifierNames, ...regexFlags].join('|')
  const map = {
    type: 'object',
    propertyNames: { pattern: `^[^|]*(\\|(${modifiers}))*$` },
    properties: Object.fromEntries(fieldNames.map(name => [name, {}])),
  }
  return {
    type: 'object',
    description: 'Named selections and the condition that joins them.',
    required: ['condition'],
    properties: { condition: texts('Such as: selection and not 1 of filter_*'), timeframe: false },
    additionalProperties: {
      anyOf: [
        map,
        { type: 'array', items: { anyOf: [map, { type: ['string', 'number', 'boolean'] }] } },
        { type: 'string' },
      ],
    },
  }
}

/** The schema as text. */
export async function ruleSchema(): Promise<string> {
  const identifier = { type: 'string', pattern: '^[\\w.-]{1,128}$' }
  const schema = {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'trailwarden rule',
    description:
      'A Sigma rule about CloudTrail, with the trailwarden extension. Written by `node scripts/rule-schema.ts`.',
    type: 'object',
    required: ['title'],
    allOf: [
      { anyOf: [{ required: ['name'] }, { required: ['id'] }] },
      { oneOf: [{ required: ['detection', 'logsource'] }, { required: ['correlation'] }] },
      {
        if: {
          properties: { correlation: { required: ['type'], properties: { type: { const: 'rate_anomaly' } } } },
          required: ['correlation'],
        },
        then: { required: ['trailwarden'], properties: { trailwarden: { required: ['rate-anomaly'] } } },
        else: { properties: { trailwarden: { not: { required: ['rate-anomaly'] } } } },
      },
    ],
    properties: {
      title: { type: 'string', minLength: 1, maxLength: 256, description: 'One line that says what happened.' },
      name: { ...identifier, description: 'The rule id: part of dedup keys, headers and metric labels.' },
      id: { ...identifier, description: 'A UUID; the rule id where there is no name.' },
      status: { enum: statuses, description: 'How far the rule is to be trusted.' },
      description: text('What it detects, and why that matters.'),
      references: texts('Pages about it.'),
      author: text('Who wrote it.'),
      tags: texts('attack.* tags become the ATT&CK references of the alert.'),
      falsepositives: texts('When it fires without harm.'),
      fields: texts("Sigma's summary fields; trailwarden: summary-fields: wins over them."),
      level: { enum: levels, description: 'Severity of its alerts; default medium.' },
      logsource: {
        type: 'object',
        required: ['product', 'service'],
        properties: {
          product: { enum: ['aws'], description: 'Always aws.' },
          service: { enum: ['cloudtrail'], description: 'Always cloudtrail.' },
          category: false,
        },
      },
      detection: detection(),
      correlation: correlation(),
      trailwarden: extension(),
    },
  }
  const options = await resolveConfig(path)
  return format(JSON.stringify(schema), { ...options, parser: 'json' })
}

if (process.argv[1] === import.meta.filename) {
  const written = await ruleSchema()
  if (!process.argv.includes('--check')) writeFileSync(path, written)
  else if (readFileSync(path, 'utf8') !== written) {
    console.error('schemas/trailwarden-rule.schema.json is not what the loader says; run node scripts/rule-schema.ts')
    process.exitCode = 1
  }
}
