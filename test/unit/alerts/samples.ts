// Two complete alerts and their rules, for the tests of the alert side: the multi-region read and the denied rate.
// Everything is a made-up example; tests override what they are about.
import fc from 'fast-check'
import type { Alert, AlertTotals } from '../../../src/alerts/alert.ts'
import type { Rule } from '../../../src/rules/rule.ts'

export const start = Date.UTC(2026, 10, 23, 0, 52, 2)

const noTotals: AlertTotals = {
  distinctValues: 0,
  regions: 0,
  accounts: 0,
  sourceIPs: 0,
  userAgents: 0,
  accessKeys: 0,
  sessionNames: 0,
  secrets: 0,
}

export const regionRule: Rule = {
  id: 'secretsmanager-multi-region',
  title: 'Secrets read in batches in many regions',
  description: 'One principal reads secrets in batches in five or more regions within ten minutes.',
  version: '0123456789abcdef',
  level: 'informational',
  status: 'stable',
  attack: [{ tactic: 'TA0006', technique: 'T1555.006' }],
  references: [],
  falsePositives: [],
  origin: 'rules/secretsmanager-multi-region.yml:1',
  body: {
    kind: 'value_count',
    timespanMs: 600_000,
    condition: { gte: 5 },
    field: { name: 'awsRegion', read: event => event.awsRegion },
  },
  feeds: [0],
  groupBy: [],
  dedupMs: 600_000,
  maxEpisodeMs: 86_400_000,
  runbook: null,
  summaryFields: [],
}

export const rateRule: Rule = {
  ...regionRule,
  id: 'secretsmanager-denied-rate',
  title: 'Unusual number of denied secret reads',
  level: 'medium',
  attack: [{ tactic: 'TA0007', technique: 'T1526' }],
  body: {
    kind: 'rate_anomaly',
    rate: {
      denied: event => event.outcome === 'DENIED',
      distinct: { name: 'secrets', read: event => event.secrets.join() },
      windowMs: 1_800_000,
      tauMs: 604_800_000,
      filters: 3,
      alpha: 1e-6,
      minCount: 5,
      minDistinct: 3,
      priorShape: 0.5,
      priorExposureMs: 36_000_000,
      dispersion: 2,
      dispersionBlocks: 48,
      successWithinMs: 3_600_000,
    },
  },
}

const regions = ['us-east-1', 'us-east-2', 'us-west-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-south-1']

/** The role Admin reads secrets in batches in seven regions within 3 min 40 s. */
export function regionAlert(overrides: Partial<Alert> = {}): Alert {
  const times = regions.map((_, i) => start + Math.round((i * 220_000) / 6))
  return {
    dedupKey: `secretsmanager-multi-region:9f86d081884c7d65:-:${times[4]}`,
    activity: 'CREATE',
    sequence: 0,
    mergedInto: null,
    ruleId: regionRule.id,
    ruleTitle: regionRule.title,
    ruleVersion: regionRule.version,
    severity: 'informational',
    severityId: 1,
    attack: regionRule.attack,
    principal: { key: '111122223333/role/AROAEXAMPLEEXAMPLEID', kind: 'ROLE', name: 'Admin' },
    group: [],
    firstSeen: times[4]!,
    lastSeen: times[6]!,
    detectedAt: start + 225_125,
    window: { start: times[6]! - 600_000, end: times[6]! },
    count: 9,
    distinctValues: regions.map((value, i) => ({ value, first: times[i]!, last: times[i]!, count: 1 })),
    regions,
    accounts: ['111122223333'],
    sourceIPs: ['198.51.100.7'],
    userAgents: ['aws-cli/2.31.0 md/Botocore#1.40.0 ua/2.1 os/linux'],
    accessKeys: ['ASIAEXAMPLEEXAMPLE01', 'ASIAEXAMPLEEXAMPLE02'],
    sessionNames: ['alice', 'aws-go-sdk-1722375070115152000'],
    secrets: [],
    totals: {
      ...noTotals,
      distinctValues: 7,
      regions: 7,
      accounts: 1,
      sourceIPs: 1,
      userAgents: 1,
      accessKeys: 2,
      sessionNames: 2,
    },
    evidence: [0, 6].map(i => ({
      eventId: `00000000-0000-4000-8000-00000000000${i}`,
      eventTime: times[i]!,
      eventName: 'BatchGetSecretValue',
      eventSource: 'secretsmanager.amazonaws.com',
      awsRegion: regions[i]!,
      recipientAccountId: '111122223333',
      sourceIPAddress: '198.51.100.7',
      userAgent: 'aws-cli/2.31.0 md/Botocore#1.40.0 ua/2.1 os/linux',
      errorCode: null,
      userIdentity: {
        type: 'AssumedRole',
        arn: 'arn:aws:sts::111122223333:assumed-role/Admin/alice',
        accessKeyId: 'ASIAEXAMPLEEXAMPLE01',
        sessionName: 'alice',
      },
      fields: [],
    })),
    anomaly: null,
    explanation: 'The role Admin read secrets in batches in seven regions.',
    runbook: '1. Look.\n2. Decide.\n3. Act.',
    input: { topic: 'cloudtrail.events.v1', partition: 3, offset: 4711 },
    suppressed: null,
    ...overrides,
  }
}

/** The IAM user bob is denied 18 reads of 16 secrets within 30 minutes. */
export function rateAlert(overrides: Partial<Alert> = {}): Alert {
  const secrets = Array.from({ length: 16 }, (_, i) => `111122223333:eu-west-1:prod/db-${i}`)
  return regionAlert({
    dedupKey: `secretsmanager-denied-rate:60303ae22b998861:-:${start}`,
    ruleId: rateRule.id,
    ruleTitle: rateRule.title,
    severity: 'medium',
    severityId: 3,
    attack: rateRule.attack,
    principal: { key: '111122223333/user/AIDAEXAMPLEEXAMPLEID', kind: 'USER', name: 'bob' },
    firstSeen: start,
    lastSeen: start + 1_200_000,
    window: { start: start - 600_000, end: start + 1_200_000 },
    count: 18,
    distinctValues: secrets.map(value => ({ value, first: start, last: start, count: 1 })),
    regions: ['eu-west-1'],
    accessKeys: ['AKIAEXAMPLEEXAMPLE01'],
    sessionNames: [],
    secrets,
    totals: {
      ...noTotals,
      distinctValues: 16,
      regions: 1,
      accounts: 1,
      sourceIPs: 1,
      userAgents: 1,
      accessKeys: 1,
      secrets: 16,
    },
    evidence: [
      {
        eventId: '00000000-0000-4000-8000-000000000100',
        eventTime: start,
        eventName: 'GetSecretValue',
        eventSource: 'secretsmanager.amazonaws.com',
        awsRegion: 'eu-west-1',
        recipientAccountId: '111122223333',
        sourceIPAddress: '2001:db8::7',
        userAgent: 'Boto3/1.40.0',
        errorCode: 'AccessDenied',
        userIdentity: {
          type: 'IAMUser',
          arn: 'arn:aws:iam::111122223333:user/bob',
          accessKeyId: 'AKIAEXAMPLEEXAMPLE01',
          sessionName: null,
        },
        fields: [],
      },
    ],
    anomaly: {
      count: 18,
      distinct: 16,
      expected: 0.0312,
      pValue: 2.1e-14,
      alpha: 1e-6,
      exposureMs: 12 * 86_400_000 + 5 * 3_600_000,
      dispersion: 0.48,
    },
    ...overrides,
  })
}

// Code units that mean something to a terminal, Markdown, HTML, a shell, JSON or UTF-16, next to any others.
const meaningful = '\u001b\u009b\u0000\n\r\u2028\u202e\u200b\ufeff\ud800\udc00`*_[]()#<>&|;$"\'\\{}%~@ -.:/aA1é日'
const unit = fc.oneof(
  fc.constantFrom(...meaningful.split('')),
  fc.integer({ min: 0, max: 0xffff }).map(code => String.fromCharCode(code)),
)

/** Text as an attacker would choose it, lone surrogates included. */
export function hostileText(maxLength: number): fc.Arbitrary<string> {
  return fc.array(unit, { maxLength }).map(units => units.join(''))
}
