// Runs of bytes inside larger ones: a hash to look them up by, and whether two are the same. Loops, because a call into native
// code costs more than a few dozen bytes do. Pure.

/** A hash of the length and of both ends, where names, ids and addresses differ most; whoever uses it compares behind it. */
export function hashOfEnds(bytes: Buffer, start: number, end: number, seed = 0): number {
  let hash = seed + end - start
  for (let at = start; at < end && at < start + 8; at++) hash = Math.imul(hash, 31) + bytes[at]!
  for (let at = Math.max(start + 8, end - 16); at < end; at++) hash = Math.imul(hash, 31) + bytes[at]!
  return hash
}

/** Whether the bytes from `start` to `end` stand in `known` at `from`. */
export function isSameRun(known: Buffer, from: number, bytes: Buffer, start: number, end: number): boolean {
  for (let at = start, other = from; at < end; at++, other++) if (known[other] !== bytes[at]) return false
  return true
}
