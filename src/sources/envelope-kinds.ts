// What one parsed JSON object is: a CloudTrail record, a wrapper around records, something to pass over, or unknown.
// Pure; called by envelope.ts for every object it meets. Only the wrapper is read, never a record's own payload,
// so nothing an attacker can write into requestParameters is ever mistaken for an envelope.
import { isJsonObject } from '../normalize/cloudtrail.ts'
import type { JsonObject } from '../normalize/cloudtrail.ts'
import type { SourceKind } from '../normalize/event.ts'
import type { SkipKind } from '../rejected.ts'

/** What an object turned out to be. `wraps` holds one inner value, `holds` several. */
export type Inside =
  | { readonly is: 'record'; readonly kind: SourceKind }
  | { readonly is: 'skip'; readonly skip: SkipKind }
  | { readonly is: 'wraps'; readonly kind: SourceKind; readonly inner: unknown }
  | { readonly is: 'holds'; readonly kind: SourceKind; readonly members: readonly unknown[] }
  | { readonly is: 'wrong-type'; readonly field: string }
  | { readonly is: 'unknown' }

// One shared value per answer that carries no data: a bare record costs no allocation.
const record: Inside = { is: 'record', kind: 'RECORD' }
const beatsRecord: Inside = { is: 'record', kind: 'BEATS' }
const unknown: Inside = { is: 'unknown' }
const skipped = (skip: SkipKind): Inside => ({ is: 'skip', skip })
const digest = skipped('digest')
const insight = skipped('insight')
const s3Notification = skipped('s3-notification')
const s3TestEvent = skipped('s3-test-event')
const snsNotification = skipped('sns-notification')
const controlMessage = skipped('control-message')

/**
 * Says what an object is. A record comes first, because it is the common case and because Beats and Logstash documents
 * carry a record's fields beside a `message`; then what is passed over; then the wrappers; and last whatever has at
 * least one field that only CloudTrail records have, so that a broken record is refused with the field it lacks.
 */
export function insideOf(object: JsonObject): Inside {
  if (typeof object.eventName === 'string' && typeof object.eventSource === 'string') {
    // S3 event notifications share `Records`, eventName, eventTime and awsRegion with CloudTrail; eventSource tells them apart.
    if (object.eventSource === 'aws:s3') return s3Notification
    if (object.eventType === 'AwsCloudTrailInsight' || object.insightDetails !== undefined) return insight
    return recordOf(object)
  }
  return passedOver(object) ?? deliveredByAws(object) ?? wrappedByShipper(object) ?? brokenRecord(object)
}

/** Logstash and Beats add @timestamp (and @version) to whatever they ship; CloudTrail has no field of that name. */
function recordOf(object: JsonObject): Inside {
  return object['@timestamp'] === undefined && object['@version'] === undefined ? record : beatsRecord
}

function passedOver(object: JsonObject): Inside | null {
  if (object.eventType === 'AwsCloudTrailInsight' || object.insightDetails !== undefined) return insight
  if (object.digestStartTime !== undefined) return digest
  if (object.logFiles !== undefined && object.digestS3Bucket !== undefined) return digest
  if (object.eventSource === 'aws:s3') return s3Notification
  if (object.Event === 's3:TestEvent') return s3TestEvent
  // CloudTrail's own notification that a log file was delivered.
  if (typeof object.s3Bucket === 'string' && object.s3ObjectKey !== undefined) return snsNotification
  if (object.messageType === 'CONTROL_MESSAGE') return controlMessage
  return null
}

function deliveredByAws(object: JsonObject): Inside | null {
  const { Records: records } = object
  if (records !== undefined) {
    if (Array.isArray(records)) return { is: 'holds', kind: 'RECORDS_ARRAY', members: records }
    // Vector's unnest(.Records) leaves one record, as an object, under the plural key.
    if (isJsonObject(records) || typeof records === 'string') {
      return { is: 'wraps', kind: 'RECORDS_OBJECT', inner: records }
    }
    return { is: 'wrong-type', field: 'Records' }
  }
  if (object['detail-type'] !== undefined && object.detail !== undefined) {
    // S3 event notifications by way of EventBridge.
    if (object.source === 'aws.s3' && namesS3Object(object['detail-type'])) return s3Notification
    return { is: 'wraps', kind: 'EVENTBRIDGE', inner: object.detail }
  }
  if (Array.isArray(object.logEvents)) {
    return { is: 'holds', kind: 'CLOUDWATCH_LOGS', members: object.logEvents.map(fieldOf('message')) }
  }
  // The form in which Lambda receives a CloudWatch Logs subscription: base64 of gzip of the form above.
  if (isJsonObject(object.awslogs) && typeof object.awslogs.data === 'string') {
    return { is: 'wraps', kind: 'CLOUDWATCH_LOGS', inner: object.awslogs.data }
  }
  if (Array.isArray(object.Events)) {
    return { is: 'holds', kind: 'LOOKUP_EVENTS', members: object.Events.map(fieldOf('CloudTrailEvent')) }
  }
  if (object.CloudTrailEvent !== undefined) {
    return { is: 'wraps', kind: 'LOOKUP_EVENTS', inner: object.CloudTrailEvent }
  }
  if (object.eventData !== undefined) return { is: 'wraps', kind: 'LAKE', inner: object.eventData }
  return snsOf(object)
}

/** "Object Created", "Object Deleted" and their like; API calls on S3 come as "AWS API Call via CloudTrail". */
const namesS3Object = (detailType: unknown) => typeof detailType === 'string' && detailType.startsWith('Object ')

function snsOf(object: JsonObject): Inside | null {
  if (object.Type === 'SubscriptionConfirmation' || object.Type === 'UnsubscribeConfirmation') return snsNotification
  if (object.Type !== 'Notification' || typeof object.Message !== 'string') return null
  // Sent once, as plain text, when a trail is given a topic.
  if (object.Message.startsWith('CloudTrail validation message')) return snsNotification
  return { is: 'wraps', kind: 'SNS', inner: object.Message }
}

/** The most specific name first: a Filebeat document may carry both `event.original` and a `message` for people. */
function wrappedByShipper(object: JsonObject): Inside | null {
  const original = object['event.original'] ?? (isJsonObject(object.event) ? object.event.original : undefined)
  if (original !== undefined) return { is: 'wraps', kind: 'EVENT_ORIGINAL', inner: original }
  if (object._raw !== undefined) return { is: 'wraps', kind: 'RAW', inner: object._raw }
  if (object.message !== undefined) return { is: 'wraps', kind: 'MESSAGE', inner: object.message }
  return null
}

function brokenRecord(object: JsonObject): Inside {
  const { eventName, eventSource, eventTime, eventVersion, eventID, userIdentity } = object
  const found = eventName ?? eventSource ?? eventTime ?? eventVersion ?? eventID ?? userIdentity
  return found === undefined ? unknown : recordOf(object)
}

const fieldOf = (name: string) => (value: unknown) => (isJsonObject(value) ? value[name] : value)
