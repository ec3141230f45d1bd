// An event as one line of JSON: what `normalize --json` prints. Pure.
// Field names are those of CloudTrailEvent; times are RFC 3339 UTC with milliseconds; nothing else is changed.
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { CloudTrailEvent } from './event.ts'

/**
 * One JSON object on one line, without the line feed. requestParameters, responseElements and additionalEventData stay
 * JSON text inside a string, as on the topic. eventTime and userIdentity.sessionCreated are the only times. Control
 * characters, of which a caller's user agent may hold any, are spelled as {@link jsonLine} does.
 */
export function eventToJson(event: CloudTrailEvent): string {
  const { sessionCreated } = event.userIdentity
  return jsonLine({
    ...event,
    eventTime: rfc3339(event.eventTime),
    userIdentity: {
      ...event.userIdentity,
      sessionCreated: sessionCreated === null ? null : rfc3339(sessionCreated),
    },
  })
}
