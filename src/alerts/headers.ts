// Kafka headers of an alert: CloudEvents 1.0 in binary content mode, so that a SIEM routes without decoding the value.
// Pure. https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/kafka-protocol-binding.md section 3.2.
// Every value is printable ASCII without spaces; two deliveries of one alert have equal headers.
import { rfc3339 } from '../rfc3339.ts'
import type { Alert } from './alert.ts'

/** Media types in which an alert's value is written. */
export type AlertContentType = 'application/avro' | 'application/json'

// The binding allows any UTF-8, but header values end in logs, in shells and in clients that read Latin-1: what is not a
// visible ASCII character, and `%` itself, is percent-encoded as UTF-8 (RFC 3986 section 2.1), which is reversible.
const encoded = /[^\x21-\x7e]+|%/g

function printable(text: string): string {
  return text.toWellFormed().replace(encoded, encodeURIComponent)
}

/**
 * Headers of the alert's Kafka record. `ce_id` is `<dedup key>/<sequence>`: together with `ce_source` it names one alert
 * for good, and a redelivered or replayed alert has the same. `ce_type` is `io.trailwarden.alert.<rule id>.v1`; `v1` is
 * the major version of the Alert schema.
 *
 * @param source `ce_source`, a URI reference that names this detector, as `/trailwarden/<topic>`; not empty.
 * @param contentType how the value is written.
 */
export function alertHeaders(alert: Alert, source: string, contentType: AlertContentType): Record<string, string> {
  return {
    ce_specversion: '1.0',
    ce_id: printable(`${alert.dedupKey}/${alert.sequence}`),
    ce_type: printable(`io.trailwarden.alert.${alert.ruleId}.v1`),
    ce_source: printable(source),
    ce_time: rfc3339(alert.detectedAt),
    'content-type': contentType,
    'trailwarden-dedup-key': printable(alert.dedupKey),
    'trailwarden-rule': printable(alert.ruleId),
  }
}
