// Parameters of the `rate_anomaly` extension, with the defaults of the reference model. Pure.
// What they mean, with formulas: docs/decisions on the rate model. In YAML they stand under trailwarden: rate-anomaly:.
import type { CloudTrailEvent } from '../normalize/event.ts'
import { fieldReader } from './cloudtrail-fields.ts'
import type { FieldResolver } from './field.ts'
import type { RateAnomalyParameters } from './rule.ts'
import type { Section } from './section.ts'

const hour = 3_600_000
const day = 86_400_000

/** Keys of the block. */
export const rateKeys = [
  'denied',
  'distinct',
  'alpha',
  'min-count',
  'min-distinct',
  'tau',
  'filters',
  'prior-shape',
  'prior-exposure',
  'dispersion',
  'dispersion-blocks',
  'success-within',
  'model',
]

/** Reads the block. `denied` is the compiled rule that `denied:` names; null after reporting what is missing. */
export function readRateParameters(
  block: Section,
  windowMs: number,
  ruleNamed: (key: string) => ((event: CloudTrailEvent) => boolean) | null,
  resolve: FieldResolver<CloudTrailEvent>,
): RateAnomalyParameters | null {
  block.closed(rateKeys)
  if (block.value('denied') === undefined)
    return block.missing('denied', 'Name the detection rule whose events are the denials')
  const denied = ruleNamed('denied')
  const distinctName = block.text('distinct') ?? 'secrets'
  const distinct = resolve(distinctName)
  if ('problem' in distinct) block.problems.add(block.at('distinct'), distinct.problem, distinct.hint)
  const minCount = block.number('min-count', { min: 1, max: 1_000_000, whole: true }) ?? 5
  const minDistinct = block.number('min-distinct', { min: 1, max: 1000, whole: true }) ?? Math.min(3, minCount)
  if (minDistinct > minCount) {
    block.problems.add(
      block.at('min-distinct'),
      "'min-distinct' exceeds 'min-count' and decides alone",
      'Raise min-count to it',
    )
  }
  const parameters = {
    windowMs,
    tauMs: block.duration('tau', { min: hour, max: 365 * day }) ?? 7 * day,
    filters: block.number('filters', { min: 0, max: 8, whole: true }) ?? 3,
    alpha: block.number('alpha', { min: 1e-300, max: 0.5 }) ?? 1e-6,
    minCount,
    minDistinct,
    priorShape: block.number('prior-shape', { min: 0.001, max: 1000 }) ?? 0.5,
    priorExposureMs: block.duration('prior-exposure', { min: 60_000, max: 365 * day }) ?? 10 * hour,
    dispersion: block.number('dispersion', { min: 0, max: 1000 }) ?? 2,
    dispersionBlocks: block.number('dispersion-blocks', { min: 0, max: 1_000_000 }) ?? 48,
    successWithinMs: block.duration('success-within', { min: 0, max: day }) ?? hour,
    model: block.choice('model', ['shared', 'first-denials']) ?? 'shared',
  }
  return denied === null || 'problem' in distinct ? null : { denied, distinct: fieldReader(distinct), ...parameters }
}
