// The `trailwarden:` block of a rule: what Sigma has no words for. Pure. Strict: an unknown key is an error, because a
// misspelt `dedup` that is silently ignored would page someone every minute.
import { runbookProblems } from '../alerts/runbook.ts'
import type { MapValue } from './document.ts'
import type { FieldResolver } from './field.ts'
import type { CloudTrailEvent } from '../normalize/event.ts'
import { fieldReader } from './cloudtrail-fields.ts'
import type { Field } from './rule.ts'
import type { Section } from './section.ts'

const minute = 60_000
const day = 86_400_000

/** Defaults of the block, milliseconds. */
export const extensionDefaults = { dedupMs: 10 * minute, maxEpisodeMs: day, latenessMs: 15 * minute } as const

/** Keys of the block. */
export const extensionKeys = ['dedup', 'max-episode', 'lateness', 'runbook', 'summary-fields', 'rate-anomaly', 'tests']

export interface Extension {
  readonly dedupMs: number
  readonly maxEpisodeMs: number
  readonly latenessMs: number
  readonly runbook: string | null
  readonly summaryFields: readonly Field[]
  /** Read by the correlation, which knows the rules it can name. */
  readonly rate: Section | null
  /** Read by the test runner. */
  readonly tests: readonly MapValue[]
}

/** Reads the block; what is absent has its default. */
export function readExtension(rule: Section, resolve: FieldResolver<CloudTrailEvent>): Extension {
  const block = rule.section('trailwarden', "'trailwarden'")
  block?.closed(extensionKeys)
  const dedupMs = block?.duration('dedup', { min: 1000, max: 7 * day }) ?? extensionDefaults.dedupMs
  const maxEpisodeMs =
    block?.duration('max-episode', { min: minute, max: 30 * day }) ?? Math.max(extensionDefaults.maxEpisodeMs, dedupMs)
  if (block !== null && block.value('max-episode') !== undefined && maxEpisodeMs < dedupMs) {
    rule.problems.add(
      block.at('max-episode'),
      "'max-episode' is shorter than 'dedup'",
      'Let an episode last at least one gap',
    )
  }
  const runbook = block?.text('runbook') ?? null
  for (const problem of runbook === null ? [] : runbookProblems(runbook)) {
    const [message = '', hint = 'Remove it'] = problem.split('. ')
    rule.problems.add(block?.at('runbook') ?? rule.map.at, message, hint)
  }
  return {
    dedupMs,
    maxEpisodeMs,
    latenessMs: block?.duration('lateness', { min: 0, max: day }) ?? extensionDefaults.latenessMs,
    runbook,
    summaryFields: block === null ? [] : readFields(block, 'summary-fields', resolve),
    rate: block?.section('rate-anomaly', "'rate-anomaly'") ?? null,
    tests: block === null ? [] : readTests(block),
  }
}

/** A list of field names as readers; names that are none are reported. */
function readFields(section: Section, key: string, resolve: FieldResolver<CloudTrailEvent>): Field[] {
  return section.texts(key).flatMap(({ source, at }) => {
    const access = resolve(source)
    if (!('problem' in access)) return [fieldReader(access)]
    section.problems.add(at, access.problem, access.hint)
    return []
  })
}

function readTests(block: Section): MapValue[] {
  const value = block.value('tests')
  if (value === undefined) return []
  const items = value.kind === 'list' ? value.items : [value]
  return items.flatMap(item => {
    if (item.kind === 'map') return [item]
    block.problems.add(item.at, 'a test is a map', "Begin with '- name: …'")
    return []
  })
}
