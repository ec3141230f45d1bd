// Hand-made rules and events for tests of the detection side: no YAML, no parser, every field explicit.
// Times are epoch milliseconds; `at('10:03')` reads as it stands.
import { explain } from '../../src/alerts/explain.ts'
import type { Alert } from '../../src/alerts/alert.ts'
import { Engine } from '../../src/detect/engine.ts'
import type { EngineOptions } from '../../src/detect/engine.ts'
import type { CloudTrailEvent } from '../../src/normalize/event.ts'
import type { Field, RateAnomalyParameters, Rule, RuleBody, RuleSet } from '../../src/rules/rule.ts'

export const second = 1000
export const minute = 60 * second
export const hour = 60 * minute
export const day = 24 * hour

const base = Date.UTC(2026, 0, 15)

/** '10:03', '10:03:20' or '10:03:20.500' on 2026-01-15 UTC; '1d 10:03' a day later. */
export function at(text: string): number {
  const [, days, h, m, s] = /^(?:(\d+)d )?(\d+):(\d+)(?::(\d+(?:\.\d+)?))?$/.exec(text) ?? []
  return base + Number(days ?? 0) * day + Number(h) * hour + Number(m) * minute + Math.round(Number(s ?? 0) * second)
}

export const awsRegion: Field = { name: 'awsRegion', read: event => event.awsRegion || null }
export const secret: Field = {
  name: 'secrets',
  read: event => (typeof event.secrets?.[0] === 'string' ? event.secrets[0] : null),
}
export const sourceIP: Field = { name: 'sourceIPAddress', read: event => event.sourceIPAddress }

let serial = 0

/** A BatchGetSecretValue call by one role, unless told otherwise. Every call gets its own event id. */
export function call(eventTime: number, more: Partial<CloudTrailEvent> = {}): CloudTrailEvent {
  return {
    eventTime,
    eventSource: 'secretsmanager.amazonaws.com',
    eventName: 'BatchGetSecretValue',
    awsRegion: 'us-east-1',
    outcome: 'SUCCESS',
    principal: { key: '111122223333/role/AROAEXAMPLE', kind: 'ROLE', name: 'deployer' },
    recipientAccountId: '111122223333',
    eventId: `event-${++serial}`,
    sharedEventId: null,
    eventVersion: '1.11',
    eventType: 'AwsApiCall',
    eventCategory: 'Management',
    sourceIPAddress: '198.51.100.7',
    userAgent: 'aws-cli/2.15.0',
    errorCode: null,
    errorMessage: null,
    readOnly: true,
    managementEvent: true,
    vpcEndpointId: null,
    requestId: null,
    userIdentity: {
      type: 'AssumedRole',
      principalId: 'AROAEXAMPLE:build-1',
      arn: 'arn:aws:sts::111122223333:assumed-role/deployer/build-1',
      accountId: '111122223333',
      accessKeyId: 'ASIAEXAMPLE',
      userName: null,
      invokedBy: null,
      sourceIdentity: null,
      sessionIssuer: null,
      sessionName: 'build-1',
      mfaAuthenticated: false,
      sessionCreated: null,
    },
    requestParameters: null,
    responseElements: null,
    additionalEventData: null,
    secrets: [],
    sourceKind: 'RECORD',
    ...more,
  }
}

/** A rule fed by predicate 0. */
export function rule(id: string, body: RuleBody, more: Partial<Rule> = {}): Rule {
  return {
    id,
    title: id,
    description: '',
    version: '0000000000000001',
    level: 'medium',
    status: 'test',
    attack: [{ tactic: 'TA0006', technique: 'T1555.006' }],
    references: [],
    falsePositives: [],
    origin: `${id}.yml:1`,
    body,
    feeds: [0],
    groupBy: [],
    dedupMs: 10 * minute,
    maxEpisodeMs: day,
    runbook: null,
    summaryFields: [],
    ...more,
  }
}

/** The multi-region rule of the mission: 5 distinct regions in 10 minutes. */
export const multiRegion = rule('secretsmanager-multi-region', {
  kind: 'value_count',
  timespanMs: 10 * minute,
  condition: { gte: 5 },
  field: awsRegion,
})

/** A rule set with one predicate per test; the default one matches BatchGetSecretValue. */
export function ruleSet(
  rules: readonly Rule[],
  tests: readonly ((event: CloudTrailEvent) => boolean)[] = [event => event.eventName === 'BatchGetSecretValue'],
  latenessMs = 15 * minute,
): RuleSet {
  return {
    rules,
    predicates: tests.map((test, i) => ({ ruleId: `predicate-${i}`, test })),
    match: event => tests.flatMap((test, i) => (test(event) ? [i] : [])),
    wants: () => true,
    latenessMs,
    version: 'test',
    fields: null,
  }
}

export const plainProse: EngineOptions = {
  describe: (draft, of) => ({ explanation: explain(draft, of), runbook: '' }),
}

/** Every event through a fresh engine, one transaction each; timestamps are the event times. */
export function run(rules: RuleSet, events: readonly CloudTrailEvent[], options = plainProse): Alert[] {
  const engine = new Engine(rules, options)
  return events.flatMap(event => step(engine, event))
}

/** One event in a transaction of its own. */
export function step(engine: Engine, event: CloudTrailEvent, timestamp: number | null = null): Alert[] {
  const transaction = engine.begin()
  transaction.process(event, null, timestamp)
  transaction.merge()
  return transaction.alerts
}

/** A rate rule with the defaults of the reference model and a few of them replaced. */
export function rateRule(
  id: string,
  more: Partial<RateAnomalyParameters> & { readonly feeds?: readonly number[] } = {},
): Rule {
  const { feeds = [0], ...numbers } = more
  return rule(
    id,
    {
      kind: 'rate_anomaly',
      rate: {
        denied: event => event.outcome === 'DENIED',
        distinct: secret,
        windowMs: 30 * minute,
        tauMs: 7 * day,
        filters: 3,
        alpha: 1e-6,
        minCount: 5,
        minDistinct: 3,
        priorShape: 0.5,
        priorExposureMs: 10 * hour,
        dispersion: 2,
        dispersionBlocks: 48,
        successWithinMs: hour,
        ...numbers,
      },
    },
    { feeds },
  )
}
