// Keeps V8's young generation small. By itself it grows to two halves of 64 MB on a machine with memory to spare, all of it
// resident; what lives long here lies outside the heap or is a few megabytes, so two halves of 8 MB are as fast.
// Measured, and why not by a flag of the command line: docs/decisions/0019-small-young-generation.md.
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8'

/** Megabytes of one half. */
const halfMiB = 8
const lookEveryMs = 20

/** Megabytes of both halves together, as V8 has reserved them now. */
function reservedMiB(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space')
  return (space?.space_size ?? 0) / (1 << 20)
}

/**
 * Lets the young generation grow to two halves of 8 MB and no further. V8 looks at the factor whenever the generation is to
 * grow, and at no other time; where it does not, nothing happens but that more memory is used. Whoever has set flags of the
 * young generation is left alone.
 */
export function boundYoungGeneration(): void {
  const given = [...process.execArgv, process.env['NODE_OPTIONS'] ?? ''].join(' ')
  if (given.includes('semi-space') || given.includes('semi_space')) return
  const bound = () => {
    const factor = Math.max(1, Math.floor((2 * halfMiB) / Math.max(1, reservedMiB())))
    setFlagsFromString(`--semi-space-growth-factor=${factor}`)
    if (factor === 1) clearInterval(timer)
  }
  const timer = setInterval(bound, lookEveryMs)
  timer.unref()
  bound()
}
