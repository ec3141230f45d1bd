// toOcsf against the facts of the OCSF 1.8.0 schema (names, types, required attributes, constraints, enumerations) in
// test/fixtures, walked recursively, and against the values that a consumer joins on.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Alert } from '../../../src/alerts/alert.ts'
import { levels, severityIdOf } from '../../../src/alerts/alert.ts'
import { toOcsf } from '../../../src/alerts/ocsf.ts'
import { principalKinds } from '../../../src/normalize/event.ts'
import { rateAlert, regionAlert, start } from './samples.ts'

interface Facts {
  required: string[]
  attributes: Record<string, string>
  at_least_one?: string[]
}
const schema = JSON.parse(
  readFileSync(new URL('../../fixtures/ocsf-1.8.0-detection-finding.json', import.meta.url), 'utf8'),
) as { class: Facts; objects: Record<string, Facts>; enums: Record<string, number[]> }

const scalars: Record<string, (value: unknown) => boolean> = {
  boolean_t: value => typeof value === 'boolean',
  integer_t: value => Number.isSafeInteger(value) && Math.abs(value as number) < 2 ** 31,
  long_t: Number.isSafeInteger,
  timestamp_t: Number.isSafeInteger,
  json_t: value => value !== undefined,
  ip_t: value => typeof value === 'string' && /^[0-9a-fA-F:.]+$/.test(value),
}

/** Every way in which `value` is not an instance of the named object, as `path: problem`. */
function violations(value: unknown, name: string, facts: Facts | undefined, path: string): string[] {
  if (facts === undefined) return [`${path}: object ${name} is not in the table`]
  if (typeof value !== 'object' || value === null) return [`${path}: is not an object`]
  const object = value as Record<string, unknown>
  const found: string[] = []
  for (const key of facts.required) if (object[key] === undefined) found.push(`${path}.${key}: required`)
  if (facts.at_least_one?.every(key => object[key] === undefined)) found.push(`${path}: at least one is required`)
  for (const [key, member] of Object.entries(object)) {
    const type = facts.attributes[key]
    if (type === undefined) {
      found.push(`${path}.${key}: unknown attribute`)
      continue
    }
    const items = type.endsWith('[]') ? member : [member]
    if (!Array.isArray(items)) found.push(`${path}.${key}: is not an array`)
    else for (const item of items) found.push(...itemViolations(item, type.replace('[]', ''), `${path}.${key}`))
    const allowed = schema.enums[`${name}.${key}`]
    if (allowed !== undefined && !allowed.includes(member as number)) found.push(`${path}.${key}: not in enumeration`)
  }
  return found
}

function itemViolations(item: unknown, type: string, path: string): string[] {
  if (!type.endsWith('_t')) return violations(item, type, schema.objects[type], path)
  const ok = (scalars[type] ?? (value => typeof value === 'string' && value !== ''))(item)
  return ok ? [] : [`${path}: is not a ${type}`]
}

function check(alert: Alert): string[] {
  // Through JSON, as it leaves the program: an undefined attribute would be lost, a NaN become null.
  const finding: unknown = JSON.parse(JSON.stringify(toOcsf(alert, '1.2.3')))
  return violations(finding, 'detection_finding', schema.class, 'finding')
}

test('the table finds what is wrong: the check can fail', () => {
  const wrong = { ...toOcsf(regionAlert()), time: '2026', colour: 'red', severity_id: 7, evidences: [{ uid: 'x' }] }
  assert.deepEqual(violations(wrong, 'detection_finding', schema.class, 'f').sort(), [
    'f.colour: unknown attribute',
    'f.evidences: at least one is required',
    'f.severity_id: not in enumeration',
    'f.time: is not a timestamp_t',
  ])
  const { finding_info: _, ...without } = toOcsf(regionAlert())
  assert.deepEqual(violations(without, 'detection_finding', schema.class, 'f'), ['f.finding_info: required'])
})

test('every kind of alert is a valid Detection Finding', () => {
  const plain = regionAlert()
  const evidence = plain.evidence.map(e => ({
    ...e,
    eventId: '',
    sourceIPAddress: null,
    userAgent: null,
    userIdentity: { type: null, arn: null, accessKeyId: null, sessionName: null },
  }))
  const variants: Partial<Alert>[] = [
    {},
    { activity: 'UPDATE', sequence: 4, mergedInto: 'rule:abc:-:1' },
    { evidence, input: null, runbook: '' },
    {
      evidence: [],
      attack: [
        { tactic: '', technique: '' },
        { tactic: 'TA0006', technique: '' },
      ],
    },
    { suppressed: { id: 's', reason: 'known', owner: 'us' }, group: [{ field: 'eventName', value: 'X' }] },
    { secrets: ['not-normal', '111122223333::x'], attack: [{ tactic: '', technique: 'T1526' }] },
  ]
  for (const overrides of variants) {
    assert.deepEqual(check(regionAlert(overrides)), [])
    assert.deepEqual(check(rateAlert(overrides)), [])
  }
  for (const kind of principalKinds)
    assert.deepEqual(check(regionAlert({ principal: { key: 'k', kind, name: '' } })), [])
  for (const level of levels) {
    assert.deepEqual(check(regionAlert({ severity: level, severityId: severityIdOf(level) })), [])
  }
})

type Finding = Record<string, never> & {
  finding_info: Record<string, unknown> & { analytic: Record<string, unknown> }
  metadata: Record<string, unknown>
  evidences: Record<string, unknown>[]
  resources: Record<string, unknown>[]
  cloud: Record<string, unknown>
  anomaly_analyses: { baselines: Record<string, unknown>[]; anomalies: Record<string, unknown>[] }[]
}
function finding(alert: Alert): Finding {
  return toOcsf(alert, '1.2.3') as Finding
}

test('one dedup key is one finding; CREATE and UPDATE are its activities', () => {
  const create = finding(regionAlert())
  const update = finding(regionAlert({ activity: 'UPDATE', sequence: 1 }))
  assert.equal(create['class_uid'], 2004)
  assert.equal(create['type_uid'], 200401)
  assert.equal(update['type_uid'], 200402)
  assert.equal(create.finding_info['uid'], regionAlert().dedupKey)
  assert.equal(update.finding_info['uid'], create.finding_info['uid'])
  assert.notEqual(update.metadata['uid'], create.metadata['uid'])
  assert.equal(create.finding_info['created_time'], start + 225_125)
  assert.equal(update.finding_info['created_time'], undefined)
  assert.equal(update.finding_info['modified_time'], start + 225_125)
})

test('ATT&CK parts stand apart', () => {
  assert.deepEqual(finding(regionAlert()).finding_info['attacks'], [
    { tactic: { uid: 'TA0006' }, technique: { uid: 'T1555' }, sub_technique: { uid: 'T1555.006' } },
  ])
  assert.deepEqual(finding(rateAlert()).finding_info['attacks'], [
    { tactic: { uid: 'TA0007' }, technique: { uid: 'T1526' } },
  ])
})

test('a sample event joins with the API Activity event of AWS by its id', () => {
  assert.deepEqual(finding(rateAlert()).evidences, [
    {
      uid: '00000000-0000-4000-8000-000000000100',
      api: {
        operation: 'GetSecretValue',
        service: { name: 'secretsmanager.amazonaws.com' },
        response: { error: 'AccessDenied' },
      },
      actor: {
        user: { uid: 'arn:aws:iam::111122223333:user/bob', name: 'bob', type: 'IAMUser', type_id: 1 },
        session: { credential_uid: 'AKIAEXAMPLEEXAMPLE01' },
      },
      src_endpoint: { ip: '2001:db8::7' },
      http_request: { user_agent: 'Boto3/1.40.0' },
      data: {
        eventTime: '2026-11-23T00:52:02.000Z',
        awsRegion: 'eu-west-1',
        recipientAccountId: '111122223333',
      },
    },
  ])
})

test('summary fields stand in the data of their sample event', () => {
  const fields = [{ field: 'requestParameters.name', value: 'x' }]
  const [sample] = regionAlert().evidence
  const alert = regionAlert({ evidence: [{ ...sample!, fields }] })
  assert.deepEqual((finding(alert).evidences[0]?.['data'] as { fields: unknown }).fields, fields)
  assert.deepEqual(violations(toOcsf(alert), 'detection_finding', schema.class, 'f'), [])
})

test('a source that is no address is a domain or a name', () => {
  const endpoint = (sourceIPAddress: string): unknown => {
    const [sample] = regionAlert().evidence
    return finding(regionAlert({ evidence: [{ ...sample!, sourceIPAddress }] })).evidences[0]?.['src_endpoint']
  }
  assert.deepEqual(endpoint('198.51.100.7'), { ip: '198.51.100.7' })
  assert.deepEqual(endpoint('::ffff:198.51.100.7'), { ip: '::ffff:198.51.100.7' })
  assert.deepEqual(endpoint('cloudformation.amazonaws.com'), { domain: 'cloudformation.amazonaws.com' })
  assert.deepEqual(endpoint('AWS Internal'), { name: 'AWS Internal' })
})

test('secrets are the target resources', () => {
  assert.deepEqual(finding(rateAlert()).resources[3], {
    uid: '111122223333:eu-west-1:prod/db-3',
    name: 'prod/db-3',
    type: 'AWS::SecretsManager::Secret',
    role_id: 1,
    role: 'Target',
    region: 'eu-west-1',
    owner: { account: { uid: '111122223333', type_id: 10, type: 'AWS Account' } },
  })
})

test('region and account stand in cloud only where there is one', () => {
  const account = { uid: '111122223333', type_id: 10, type: 'AWS Account' }
  assert.deepEqual(finding(rateAlert()).cloud, { provider: 'AWS', account, region: 'eu-west-1' })
  assert.deepEqual(finding(regionAlert()).cloud, { provider: 'AWS', account })
})

test('the anomaly analysis carries what was expected and what was seen', () => {
  assert.equal(finding(regionAlert()).anomaly_analyses, undefined)
  assert.equal(finding(regionAlert()).finding_info.analytic['type_id'], 1)
  const rate = finding(rateAlert())
  assert.equal(rate.finding_info.analytic['type_id'], 3)
  const [analysis] = rate.anomaly_analyses
  assert.deepEqual(analysis?.baselines[0]?.['observations'], [
    { value: '0.0312', timespan: { duration: 1_054_800_000, type_id: 1, type: 'Milliseconds' } },
  ])
  const timespan = { start_time: start - 600_000, end_time: start + 1_200_000, type_id: 9, type: 'Time Interval' }
  assert.deepEqual(
    analysis?.anomalies.map(a => a['observations']),
    [
      [{ value: '18', count: 18, timespan }],
      [{ value: '16', count: 16, timespan }],
      [{ value: '2.1e-14', count: 18, timespan }],
    ],
  )
})

test('a suppressed alert is no alert', () => {
  const plain = finding(regionAlert())
  assert.equal(plain['status_id'], 1)
  assert.equal(plain['is_alert'], true)
  const suppressed = finding(regionAlert({ suppressed: { id: 's1', reason: 'known', owner: 'us' } }))
  assert.equal(suppressed['status_id'], 3)
  assert.equal(suppressed['is_alert'], false)
  assert.equal(suppressed['status_detail'], 's1: known')
})
