// Hashes of text for bounded memory: 53 bits for the ids of seen events, 32 bits for counting distinct values.
// Pure and deterministic across processes and versions, because the results are kept in the state topic.
// Not cryptographic: what must resist an adversary (the dedup key) uses SHA-256 in src/alerts/dedup-key.ts.

const c1 = 0xcc9e2d51 | 0
const c2 = 0x1b873593 | 0
const c3 = 0x9e3779b1 | 0
const c4 = 0x85ebca6b | 0

/** Spreads every input bit over the word: the finalizer of MurmurHash3 (A. Appleby, public domain description). */
function finish(word: number): number {
  let h = word
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return (h ^ (h >>> 16)) >>> 0
}

/**
 * 53-bit hash of a pair of texts, as an integer of 0 … 2^53-1 (exact in a double, so no BigInt and no string key).
 * The pair is kept apart: ('a', 'bc') and ('ab', 'c') differ.
 */
export function hash53(first: string, second: string): number {
  let h = 0x2f0b4c47
  let g = 0x61c88647
  for (let part = 0; part < 2; part++) {
    const text = part === 0 ? first : second
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      h ^= Math.imul(code, c1)
      h = Math.imul((h << 13) | (h >>> 19), c3)
      g ^= Math.imul(code, c2)
      g = Math.imul((g << 15) | (g >>> 17), c4)
    }
    // the length closes each part; without it the boundary could move
    h ^= Math.imul(text.length + 1, c2)
    g ^= Math.imul(text.length + 1, c1)
  }
  const low = finish(h ^ (g >>> 7))
  const high = finish(g ^ low)
  return (high & 0x1fffff) * 0x100000000 + low
}

/** 32-bit hash of a text, 0 … 2^32-1. */
export function hash32(text: string): number {
  let h = 0x3c6ef372
  for (let i = 0; i < text.length; i++) {
    h ^= Math.imul(text.charCodeAt(i), c1)
    h = Math.imul((h << 13) | (h >>> 19), c3)
  }
  return finish(h ^ text.length)
}
