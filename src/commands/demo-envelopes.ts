// The demo's records as shippers would put them on a raw topic: files, EventBridge, CloudWatch Logs, text in `message`, bare
// records, and a little of what else lies there. Deterministic: chance is an argument.
import { gzipSync } from 'node:zlib'

/** A generated CloudTrail record, or an envelope of some. */
export type Json = Record<string, unknown>

/** The demo's one account: AWS's documentation id. */
export const account = '111122223333'

/** One raw value, and the Kafka key a shipper would give it. */
export interface RawValue {
  readonly key: string | null
  readonly value: Buffer
}

/** Event time of a generated record, epoch milliseconds. */
export function timeOf(item: Json): number {
  return Date.parse(item['eventTime'] as string)
}

/** Packs records as different shippers would, and adds a digest file, a test event and two pieces of garbage. */
export function inEnvelopes(records: readonly Json[], random: () => number): RawValue[] {
  const values: RawValue[] = []
  const add = (value: unknown, key: string | null = null) =>
    values.push({ key, value: Buffer.isBuffer(value) ? value : Buffer.from(JSON.stringify(value)) })
  for (let at = 0; at < records.length;) {
    const size = 1 + Math.floor(random() * 24)
    const part = records.slice(at, at + size)
    at += size
    switch (Math.floor(random() * 5)) {
      case 0:
        add(gzipSync(JSON.stringify({ Records: part })), 'trail')
        break
      case 1:
        for (const item of part) add(eventBridge(item))
        break
      case 2:
        add(cloudWatchLogs(part))
        break
      case 3:
        for (const item of part) add({ message: JSON.stringify(item), '@timestamp': item['eventTime'] })
        break
      default:
        for (const item of part) add(item)
    }
  }
  add({ digestStartTime: '2026-01-15T08:00:00Z', digestEndTime: '2026-01-15T09:00:00Z', logFiles: [] })
  add({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket: 'trail' })
  add(Buffer.from('{"eventVersion":"1.11","eventTime":'))
  add({ eventVersion: '1.11', eventSource: 's3.amazonaws.com', eventTime: '2026-01-15T09:10:00Z', userIdentity: {} })
  return values
}

function eventBridge(detail: Json): Json {
  return {
    version: '0',
    id: detail['requestID'],
    'detail-type': 'AWS API Call via CloudTrail',
    source: 'aws.secretsmanager',
    account,
    time: detail['eventTime'],
    region: detail['awsRegion'],
    resources: [],
    detail,
  }
}

function cloudWatchLogs(records: readonly Json[]): Json {
  return {
    messageType: 'DATA_MESSAGE',
    owner: account,
    logGroup: 'cloudtrail',
    logStream: `${account}_CloudTrail`,
    subscriptionFilters: ['all'],
    logEvents: records.map((item, index) => ({
      id: String(index),
      timestamp: timeOf(item),
      message: JSON.stringify(item),
    })),
  }
}
