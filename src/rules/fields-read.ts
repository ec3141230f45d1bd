// Which members of an event a rule set looks at, noted where names are resolved. Pure.
// The events decoder leaves out what nobody asked for (src/codecs/cloudtrail-event.ts), so this must never miss a name:
// every predicate, group, count, alias and summary field gets its reader from this resolver and from nowhere else.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { memberOf } from './cloudtrail-members.ts'
import type { FieldResolver } from './field.ts'
import type { EventMember } from './rule.ts'

/** A resolver that remembers. `read` is null as soon as a keyword search reads everything. */
export interface FieldsRead {
  readonly resolve: FieldResolver<CloudTrailEvent>
  readonly read: () => ReadonlySet<EventMember> | null
}

/** Wraps a resolver of CloudTrail names and notes the members behind the names it resolves. */
export function notingFields(resolver: FieldResolver<CloudTrailEvent>): FieldsRead {
  const read = new Set<EventMember>()
  let everything = false
  return {
    resolve: name => {
      const access = resolver(name)
      if (!('problem' in access)) {
        const member = memberOf(access.name)
        if (member === null) everything = true
        else read.add(member)
      }
      return access
    },
    read: () => (everything ? null : read),
  }
}
