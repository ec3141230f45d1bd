// `replay --matches`: every event that a detection rule matches, as it is read. For people who write the rules.
// Nothing is ordered or kept: the lines leave with each piece of the input.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { jsonLine } from '../json-line.ts'
import { rfc3339 } from '../rfc3339.ts'
import type { RuleSet } from '../rules/rule.ts'
import { topicContract } from '../topics.ts'
import type { CommandContext } from './command.ts'
import { readEvents } from './event-input.ts'
import type { EventsReading } from './event-input.ts'

/** Prints (ruleId, eventId) pairs of the events that `inRange` takes; returns the summary. `reading` is told how it goes. */
export async function printMatches(
  context: CommandContext,
  rules: RuleSet,
  inRange: (event: CloudTrailEvent) => boolean,
  reading: Omit<EventsReading, 'take'>,
): Promise<string> {
  let lines: string[] = []
  let matches = 0
  const flush = async () => {
    if (lines.length === 0) return
    const text = `${lines.join('\n')}\n`
    lines = []
    await context.out.write(text)
  }
  const { line } = await readEvents(context, context.positionals, {
    ...reading,
    sift: {
      schema: topicContract('EVENTS_TOPIC').schema!,
      schemaId: 0,
      wants: rules.wants,
      fields: rules.fields,
      pass: () => undefined,
    },
    take(event) {
      if (!inRange(event)) return
      for (const index of rules.match(event)) {
        const { ruleId } = rules.predicates[index]!
        matches++
        lines.push(
          context.options['json'] === true
            ? jsonLine({ ruleId, eventId: event.eventId, eventTime: rfc3339(event.eventTime) })
            : `${ruleId}\t${event.eventId.replace(/[\p{Cc}\u2028\u2029]/gu, '\ufffd')}`,
        )
      }
    },
    async after(state) {
      await flush()
      await reading.after?.(state)
    },
  })
  await flush()
  return `${line}; ${matches} matches`
}
