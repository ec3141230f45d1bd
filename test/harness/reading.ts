// Which members of an event a piece of code reads: the event behind a proxy that takes notes.
import type { CloudTrailEvent, UserIdentity } from '../../src/normalize/event.ts'
import type { EventMember } from '../../src/rules/rule.ts'

/** An event that tells `note` every member that is read from it; those of the identity one by one. */
export function noting(event: CloudTrailEvent, note: (member: EventMember) => void): CloudTrailEvent {
  const identity = new Proxy(event.userIdentity, {
    get: (target, name) => {
      note(`userIdentity.${String(name) as keyof UserIdentity}`)
      return Reflect.get(target, name) as unknown
    },
  })
  return new Proxy(event, {
    get: (target, name) => {
      if (name === 'userIdentity') return identity
      note(String(name) as EventMember)
      return Reflect.get(target, name) as unknown
    },
  })
}

/** The members that `use` reads of an event, each once, in the order of the first reading. */
export function readingOf(event: CloudTrailEvent, use: (event: CloudTrailEvent) => unknown): EventMember[] {
  const read = new Set<EventMember>()
  use(noting(event, member => read.add(member)))
  return [...read]
}
