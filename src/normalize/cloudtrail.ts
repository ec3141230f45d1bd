// A CloudTrail record as it is read: known names, unknown values, and the tiny total readers that turn a value into
// what the normal form wants or null. Pure. Shippers turn numbers into text and back, so nothing is taken on trust.
// Field list: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html

/** A parsed JSON object with unknown content. */
export type JsonObject = Readonly<Record<string, unknown>>

/** The fields of a record that the normalizer reads; any other field of the same major version is left alone. */
export interface CloudTrailRecord extends JsonObject {
  readonly eventVersion?: unknown
  readonly eventTime?: unknown
  readonly eventSource?: unknown
  readonly eventName?: unknown
  readonly eventID?: unknown
  readonly sharedEventID?: unknown
  readonly eventType?: unknown
  readonly eventCategory?: unknown
  readonly awsRegion?: unknown
  readonly recipientAccountId?: unknown
  readonly sourceIPAddress?: unknown
  readonly userAgent?: unknown
  readonly errorCode?: unknown
  readonly errorMessage?: unknown
  readonly readOnly?: unknown
  readonly managementEvent?: unknown
  readonly vpcEndpointId?: unknown
  readonly requestID?: unknown
  readonly userIdentity?: unknown
  readonly requestParameters?: unknown
  readonly responseElements?: unknown
  readonly additionalEventData?: unknown
}

/** True for a JSON object, false for arrays, null and scalars. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The object, or null for arrays, scalars and null. */
export function objectOf(value: unknown): JsonObject | null {
  return isJsonObject(value) ? value : null
}

/**
 * The text of a value: strings as they are, numbers and booleans as their text, null for anything else. A lone
 * surrogate becomes U+FFFD, which is what its UTF-8 encoding would make of it, so text and encoding agree.
 */
export function text(value: unknown): string | null {
  if (typeof value === 'string') return value.isWellFormed() ? value : value.toWellFormed()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : null
}

/** {@link text}, with the empty string as null: for fields where empty means absent (accessKeyId "" on CheckMfa). */
export function filled(value: unknown): string | null {
  const found = text(value)
  return found === '' ? null : found
}

/** A boolean, also from the text "true" or "false" (mfaAuthenticated is always text); null for anything else. */
export function flag(value: unknown): boolean | null {
  if (typeof value === 'boolean') return value
  return value === 'true' ? true : value === 'false' ? false : null
}

/** An account id. One that a shipper turned into a number has lost its leading zeros; ids have twelve digits. */
export function accountId(value: unknown): string | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
    ? String(value).padStart(12, '0')
    : text(value)
}

/**
 * The JSON text of requestParameters and its like; null stays null. Beats and Logstash deliver these fields as JSON
 * text already: kept as it is if it is the JSON of an object or array. May throw RangeError on a value nested some
 * thousands deep, which JSON.stringify cannot walk; the caller turns that into a refusal.
 */
export function jsonText(value: unknown): string | null {
  if (value === undefined || value === null) return null
  if (typeof value !== 'string') return JSON.stringify(value)
  if (value === '' || value === 'null') return null
  const parsed = containerIn(value)
  return parsed === null ? JSON.stringify(value) : value.toWellFormed()
}

/** requestParameters as an object, whether it arrived as one or as its JSON text; null for anything else. */
export function parametersOf(value: unknown): JsonObject | null {
  return typeof value === 'string' ? objectOf(containerIn(value)) : objectOf(value)
}

function containerIn(json: string): unknown {
  if (!/^\s*[[{]/.test(json)) return null
  try {
    return JSON.parse(json)
  } catch {
    return null
  }
}
