// One question put to `explain`: a rule and a principal, maybe one episode of it. Follows the principal's events and gives
// the account in the end. An episode is found by the time in its dedup key, which lies in it whatever the order of arrival.
import type { Alert } from '../alerts/alert.ts'
import { counted, inSentence, plainText, utc } from '../alerts/wording.ts'
import type { CloudTrailEvent, Principal } from '../normalize/event.ts'
import type { Rule } from '../rules/rule.ts'
import { fatesText, headText, stepJson, stepText, verdictJson, verdictText } from './explain-account.ts'
import { StepSelection } from './explain-selection.ts'
import type { KnownEpisode, Step } from './explain-step.ts'
import { Reconstruction } from './explain-steps.ts'
import type { Detection } from './rule-set.ts'

/** What is asked. */
export interface Question {
  readonly rule: Rule
  readonly principalHash: string
  /** Null for all groups. */
  readonly groupHash: string | null
  /** A time in the episode that is asked about, epoch milliseconds; null for all there are. */
  readonly opening: number | null
}

/** Steps shown at the beginning and at the end unless all are asked for. */
const shownEnds = 20
/** Openings described one by one. */
const describedOpenings = 20
/** Names of calls that are counted apart, and those that are shown. */
const countedCalls = 1000
const shownCalls = 8

/** Follows a question through the events of its principal. */
export class Inquiry {
  readonly question: Question
  readonly #all: boolean
  readonly #reconstruction: Reconstruction
  readonly #selection: StepSelection
  readonly #openings: Step[] = []
  readonly #others = new Map<string, number>()
  #principal: Principal | null = null
  #told = 0
  #earliest: number | null = null
  #lastTold: Alert | null = null

  constructor(
    question: Question,
    { rules, engine }: Detection,
    show: { readonly all: boolean; readonly json: boolean },
  ) {
    this.question = question
    this.#all = show.all
    this.#reconstruction = new Reconstruction(rules, engine, question.rule, question.groupHash)
    this.#selection = new StepSelection(show.all || show.json ? Infinity : shownEnds)
  }

  /** An event of the principal that no rule of the set looks at. */
  passOver(event: CloudTrailEvent): void {
    this.#principal ??= event.principal
    const call = `${event.eventSource} ${event.eventName}`
    const name = this.#others.has(call) || this.#others.size < countedCalls ? call : 'other calls'
    this.#others.set(name, (this.#others.get(name) ?? 0) + 1)
  }

  /** The principal's next event that some rule of the set matches. */
  take(event: CloudTrailEvent): void {
    this.#principal ??= event.principal
    this.#earliest = Math.min(this.#earliest ?? Infinity, event.eventTime)
    const step = this.#reconstruction.take(event)
    if (step === null || !this.#concerns(step)) return
    this.#selection.add(step)
    if (step.opened !== null && this.#openings.length < describedOpenings) this.#openings.push(step)
    this.#told += step.told.length
    this.#lastTold = step.told.at(-1) ?? this.#lastTold
  }

  /** With an episode in question: from the beginning of its first window to its end. */
  #concerns(step: Step): boolean {
    const { opening, rule } = this.question
    if (opening === null || this.#all) return true
    const end = this.#episodes()[0]?.end ?? opening
    return step.event.eventTime > opening - windowMs(rule) && step.event.eventTime <= end + rule.dedupMs
  }

  #episodes(): readonly KnownEpisode[] {
    const { opening } = this.question
    const { episodes } = this.#reconstruction
    return opening === null ? episodes : episodes.filter(one => opening >= one.opening && opening <= one.end)
  }

  #nearest(time: number): KnownEpisode | null {
    const distance = ({ opening }: KnownEpisode) => Math.abs(opening - time)
    return this.#reconstruction.episodes.toSorted((a, b) => distance(a) - distance(b))[0] ?? null
  }

  /** Event time of the earliest event that some rule matches; null without any. */
  get earliest(): number | null {
    return this.#earliest
  }

  /** Whether the events hold the principal, and the episode where one is asked about. */
  get answered(): boolean {
    return this.#principal !== null && (this.question.opening === null || this.#episodes().length > 0)
  }

  /** The account for people. */
  *text(): Generator<string> {
    const principal = this.#principal
    const { opening, rule } = this.question
    if (principal === null) {
      yield `${rule.id}: none of the events is of the principal that is asked about.\n`
      return
    }
    yield headText(this.#reconstruction, principal)
    for (const step of this.#selection.list())
      yield 'omitted' in step
        ? `       … ${counted(step.omitted, 'step')} left out (--all shows them)\n`
        : stepText(step, this.#reconstruction)
    yield `\n${fatesText(this.#reconstruction, this.#all)}${this.#othersText()}`
    if (opening !== null && !this.answered) {
      yield `No episode of this rule holds the time that the dedup key names (${utc(opening)}): these are not all of the events it was raised on, or the rule was another one.\n`
      const nearest = this.#nearest(opening)
      if (nearest !== null) {
        yield `It fired at another time, nearest in an episode from ${utc(nearest.opening)} to ${utc(nearest.end)}; --principal ${plainText(principal.key)} --rule ${rule.id} tells all.\n`
        return
      }
    }
    const episodes = this.#episodes()
    const openings = this.#openings.filter(step => episodes.some(one => within(step.opened?.opening ?? NaN, one)))
    yield verdictText(this.#reconstruction, episodes, openings, this.#told)
    if (opening !== null && this.#lastTold !== null) yield `\n${this.#lastTold.explanation}\n`
  }

  /** The account as JSON lines without line feeds. */
  *json(): Generator<string> {
    for (const step of this.#selection.list()) if (!('omitted' in step)) yield stepJson(step, this.#reconstruction)
    yield verdictJson(this.#reconstruction, this.#principal?.key ?? null, this.#episodes())
  }

  #othersText(): string {
    if (this.#others.size === 0) return ''
    const sorted = [...this.#others].sort((a, b) => b[1] - a[1])
    const total = sorted.reduce((sum, [, n]) => sum + n, 0)
    const shown = sorted.slice(0, shownCalls).map(([call, n]) => `${call.split(' ').map(inSentence).join(' ')} ${n}`)
    const more = sorted.length > shownCalls ? `, and ${sorted.length - shownCalls} other calls` : ''
    return `${counted(total, 'event')} of the principal that no rule looks at: ${shown.join(', ')}${more}\n`
  }
}

function within(time: number, { opening, end }: KnownEpisode): boolean {
  return time >= opening && time <= end
}

function windowMs({ body }: Rule): number {
  if (body.kind === 'single') return 1
  return body.kind === 'rate_anomaly' ? body.rate.windowMs : body.timespanMs
}
