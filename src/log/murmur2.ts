// Kafka's default partitioning of keys: murmur2 as the Java client computes it, so that Java, librdkafka (murmur2_random)
// and kafkajs producers put the same principal on the same partition. Pure; compared with kafkajs in test/property.
// Bytes are read little-endian, arithmetic is modulo 2^32, the result is a signed 32-bit number as in Java.

/** Multiplier and shift of MurmurHash2, and the seed that Kafka fixed for it. */
const multiplier = 0x5bd1e995
const shift = 24
const seed = 0x9747b28c

/**
 * MurmurHash2 (32 bit) with Kafka's seed. Total over every byte sequence, the empty one included.
 * Format: Apache Kafka `Utils.murmur2`.
 */
export function murmur2(key: Uint8Array): number {
  const length = key.length
  const whole = length & ~3
  let hash = seed ^ length
  for (let i = 0; i < whole; i += 4) {
    let k = byte(key, i) | (byte(key, i + 1) << 8) | (byte(key, i + 2) << 16) | (byte(key, i + 3) << 24)
    k = Math.imul(k, multiplier)
    k ^= k >>> shift
    k = Math.imul(k, multiplier)
    hash = Math.imul(hash, multiplier) ^ k
  }
  const rest = length & 3
  if (rest === 3) hash ^= byte(key, whole + 2) << 16
  if (rest >= 2) hash ^= byte(key, whole + 1) << 8
  if (rest >= 1) hash = Math.imul(hash ^ byte(key, whole), multiplier)
  hash ^= hash >>> 13
  hash = Math.imul(hash, multiplier)
  return hash ^ (hash >>> 15)
}

/**
 * The partition of a key among `count` (at least 1) partitions: the sign bit is masked off, not negated, as Kafka's
 * `toPositive` does. A null key has no home partition: null, and the producer spreads such records as it likes.
 */
export function partitionFor(key: Uint8Array, count: number): number
export function partitionFor(key: Uint8Array | null, count: number): number | null
export function partitionFor(key: Uint8Array | null, count: number): number | null {
  return key === null ? null : (murmur2(key) & 0x7fffffff) % count
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}
