// One backtest: reads the input into order, then runs one or more rule sets over it side by side. Shell.
// Every rule set has an engine of its own and sees the same events once, so a comparison costs one reading of the input.
import { setImmediate } from 'node:timers/promises'
import type { Alert } from '../alerts/alert.ts'
import { Engine } from '../detect/engine.ts'
import type { EngineOptions } from '../detect/engine.ts'
import { evaluationTime } from '../detect/engine-transaction.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import type { EventMember, RuleSet } from '../rules/rule.ts'
import { topicContract } from '../topics.ts'
import type { CommandContext } from './command.ts'
import { readEvents } from './event-input.ts'
import type { EventsRead } from './event-input.ts'
import { EventSorter, sortedSchemaId } from './event-sorter.ts'
import { ArrivalOrder } from './replay-arrival.ts'
import { readingProgress } from './replay-progress.ts'
import type { ProgressLine } from './replay-progress.ts'

/** Events evaluated before others get their turn: signals, the terminal, a slow reader of our output. */
const chunk = 500

/** Events read before they are ordered: the first, and later one in so many. */
const firstRead = 512
const readAnyway = 64

/** A rule set that takes part, and what becomes of its alerts. */
export interface Contender {
  readonly rules: RuleSet
  readonly engine: EngineOptions
  readonly take: (alert: Alert) => void
}

/** The range of event time: `from` inclusive, `to` exclusive; null where open. */
export interface Range {
  readonly from: number | null
  readonly to: number | null
}

/** The rule set with the matches of the last event remembered: several engines ask about one event in turn. */
export function remembering(rules: RuleSet): RuleSet {
  let last: CloudTrailEvent | null = null
  let matches: readonly number[] = []
  return {
    ...rules,
    match(event) {
      if (event !== last) {
        matches = rules.match(event)
        last = event
      }
      return matches
    },
  }
}

/** True for a time in the range. */
export function within({ from, to }: Range, time: number): boolean {
  return (from === null || time >= from) && (to === null || time < to)
}

/** What was read and waits by principal and event time. Close the sorter, however it ends. */
export interface OrderedInput {
  readonly read: EventsRead
  readonly sorter: EventSorter
  /** Events in the sorter: whatever any of the rule sets matches, and others whose calls their rules ask for. */
  readonly kept: number
  readonly inRange: number
  readonly first: number | null
  readonly last: number | null
  /** Null for files, which have no order of arrival. */
  readonly arrival: ArrivalOrder | null
}

/**
 * Reads the input of the command; keeps what is in range and what one of the rule sets may match. A stop ends the reading,
 * and what was read is the input.
 */
export async function readInOrder(
  context: CommandContext,
  range: Range,
  sets: readonly RuleSet[],
  progress: ProgressLine,
): Promise<OrderedInput> {
  const schema = topicContract('EVENTS_TOPIC').schema!
  const fields = fieldsOf(sets)
  const sorter = new EventSorter(schema, fields)
  const arrival = new ArrivalOrder(sets[0]!)
  const seen = { inRange: 0, kept: 0, first: Infinity, last: -Infinity }
  const wanted = new WantedShare()
  const counted = (time: number): boolean => {
    if (!within(range, time)) return false
    seen.inRange++
    seen.first = Math.min(seen.first, time)
    seen.last = Math.max(seen.last, time)
    return true
  }
  const take = (event: CloudTrailEvent, timestamp: number | null, bytes: Buffer | null) => {
    const time = evaluationTime(event.eventTime, timestamp)
    if (!counted(time)) return
    const matching = sets.map(rules => rules.match(event).length > 0)
    const isMatched = matching.includes(true)
    if (bytes !== null) wanted.note(isMatched)
    if (!isMatched) return
    seen.kept++
    if (matching[0] === true && timestamp !== null) arrival.take(event, timestamp)
    if (bytes !== null) sorter.addEncoded(bytes)
    else sorter.add(time === event.eventTime ? event : { ...event, eventTime: time })
  }
  const unread = (bytes: Buffer): boolean => {
    if (!wanted.isLarge()) return false
    const place = sorter.placeOf(bytes)
    if (counted(place.time)) {
      seen.kept++
      sorter.addEncoded(bytes, place)
    }
    return true
  }
  try {
    const read = await readEvents(context, context.positionals, {
      from: range.from,
      take,
      sift: {
        schema,
        schemaId: sortedSchemaId,
        wants: (source, name) => sets.some(rules => rules.wants(source, name)),
        fields,
        pass: counted,
        unread,
      },
      ...readingProgress(progress, () => (seen.inRange === 0 ? null : seen.last)),
    })
    const any = seen.inRange > 0
    return {
      read,
      sorter,
      kept: seen.kept,
      inRange: seen.inRange,
      first: any ? seen.first : null,
      last: any ? seen.last : null,
      arrival: read.kind === 'topic' ? arrival : null,
    }
  } catch (error) {
    sorter.close()
    throw error
  }
}

/**
 * Whether most events whose calls are asked for are matched. Then they wait as bytes and are read once, when they are
 * evaluated; otherwise they are read at once and most of them are gone. Some are always read at once, to see when it changes.
 */
class WantedShare {
  #read = 0
  #matched = 0
  #asked = 0

  note(isMatched: boolean): void {
    this.#read++
    if (isMatched) this.#matched++
  }

  isLarge(): boolean {
    return this.#read >= firstRead && this.#matched * 2 >= this.#read && ++this.#asked % readAnyway !== 0
  }
}

/** What any of the rule sets reads of events; null for everything. */
function fieldsOf(sets: readonly RuleSet[]): RuleSet['fields'] {
  const read = new Set<EventMember>()
  for (const { fields } of sets) {
    if (fields === null) return null
    for (const member of fields) read.add(member)
  }
  return read
}

/** What {@link evaluate} did. */
export interface Evaluated {
  /** Events evaluated: all, unless it was stopped. */
  readonly events: number
  /** Those that the first contender's rules match. */
  readonly matched: number
  /** Copies that the first contender left out. */
  readonly duplicates: number
  readonly stopped: boolean
}

/**
 * Runs the contenders over the events, one principal after the other, so that one state of each is in memory whatever the
 * number of principals. A stop that comes meanwhile ends it after a chunk; one that came before, while reading, does not.
 */
export async function evaluate(
  input: OrderedInput,
  contenders: readonly Contender[],
  context: CommandContext,
  progress: ProgressLine,
  alerts: () => number | null,
): Promise<Evaluated> {
  const { stop } = context
  const stoppedBefore = stop.aborted
  const engines = contenders.map(({ rules, engine }) => new Engine(rules, engine))
  let transactions = engines.map(engine => engine.begin())
  let principal: string | null = null
  let [events, matched, duplicates] = [0, 0, 0]
  const handOver = () => {
    for (const [index, transaction] of transactions.entries())
      for (const alert of transaction.alerts.splice(0)) contenders[index]!.take(alert)
  }
  // What is known of a principal whose events are through is needed by nobody: its transaction never becomes a state.
  const finish = () => {
    handOver()
    matched += transactions[0]?.counts.matched ?? 0
    duplicates += transactions[0]?.counts.duplicates ?? 0
    for (const transaction of transactions) transaction.discard()
  }
  for (const event of input.sorter.values()) {
    if (event.principal.key !== principal) {
      finish()
      principal = event.principal.key
      transactions = engines.map(engine => engine.begin())
    }
    for (const transaction of transactions) transaction.process(event, null, null)
    if (++events % chunk !== 0) continue
    handOver()
    progress.tell({
      phase: 'detecting',
      done: events,
      total: input.kept,
      unit: 'events',
      events,
      reached: null,
      alerts: alerts(),
    })
    await setImmediate()
    if (stop.aborted && !stoppedBefore) break
  }
  finish()
  return { events, matched, duplicates, stopped: stop.aborted }
}

/** The events of the input by principal and time, each once: copies stand next to each other. */
export function* distinctEvents(input: OrderedInput): Generator<CloudTrailEvent> {
  let last: CloudTrailEvent | null = null
  for (const event of input.sorter.values()) {
    const copy =
      last !== null &&
      event.eventId !== '' &&
      event.eventId === last.eventId &&
      event.recipientAccountId === last.recipientAccountId
    last = event
    if (!copy) yield event
  }
}
