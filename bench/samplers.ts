// Seeded randomness for simulations and generated test streams: PCG32 and the samplers the rate model is judged with.
// The same seed gives the same numbers on every machine and Node version; nothing here is fit for secrets.

/** PCG32 (O'Neill 2014, XSH-RR) with its 64-bit state in two 32-bit halves, and samplers on top. */
export class Random {
  #high: number
  #low: number

  constructor(seed: number) {
    this.#high = 0
    this.#low = 0
    this.#step()
    this.#add(Math.floor(seed / 2 ** 32), seed)
    this.#step()
  }

  #add(high: number, low: number): void {
    const sum = this.#low + (low >>> 0)
    this.#high = (this.#high + high + (sum >= 2 ** 32 ? 1 : 0)) >>> 0
    this.#low = sum >>> 0
  }

  /** state ← state · 6364136223846793005 + 1442695040888963407 modulo 2^64. */
  #step(): void {
    const multiplierHigh = 0x5851f42d
    const multiplierLow = 0x4c957f2d
    const a = this.#low & 0xffff
    const b = this.#low >>> 16
    const c = multiplierLow & 0xffff
    const d = multiplierLow >>> 16
    const middle = b * c + ((a * c) >>> 16)
    const middle2 = a * d + (middle % 65536)
    const carry = b * d + Math.floor(middle / 65536) + Math.floor(middle2 / 65536)
    const high = (Math.imul(this.#high, multiplierLow) + Math.imul(this.#low, multiplierHigh) + carry) >>> 0
    this.#low = Math.imul(this.#low, multiplierLow) >>> 0
    this.#high = high
    this.#add(0x14057b7e, 0xf767814f)
  }

  /** Uniform 32-bit integer. */
  bits(): number {
    const high = this.#high
    const low = this.#low
    this.#step()
    // ((state >> 18) ^ state) >> 27, rotated right by state >> 59.
    const mixedHigh = (high ^ (high >>> 18)) >>> 0
    const mixedLow = (low ^ ((low >>> 18) | (high << 14))) >>> 0
    const word = ((mixedHigh << 5) | (mixedLow >>> 27)) >>> 0
    const turn = high >>> 27
    return ((word >>> turn) | (word << (-turn & 31))) >>> 0
  }

  /** Uniform in [0, 1). */
  uniform(): number {
    return ((this.bits() >>> 5) * 2 ** 26 + (this.bits() >>> 6)) / 2 ** 53
  }

  /** Uniform integer in [0, below). */
  integer(below: number): number {
    return Math.floor(this.uniform() * below)
  }

  /** Standard normal by Box and Muller. */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.uniform())) * Math.cos(2 * Math.PI * this.uniform())
  }

  logNormal(logMean: number, sigma: number): number {
    return Math.exp(logMean + sigma * this.normal())
  }

  /** Exponential gaps until they exceed the mean: exact, and linear in it. */
  poisson(mean: number): number {
    let count = -1
    for (let sum = 0; sum <= mean; count++) sum -= Math.log(1 - this.uniform())
    return count
  }

  /** Failures before the `successes`-th success: a sum of geometric variables. */
  negativeBinomial(successes: number, probability: number): number {
    let total = 0
    for (let i = 0; i < successes; i++) {
      total += Math.floor(Math.log(1 - this.uniform()) / Math.log(1 - probability))
    }
    return total
  }

  shuffle<T>(items: readonly T[]): T[] {
    const shuffled = [...items]
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.integer(i + 1)
      ;[shuffled[i], shuffled[j]] = [shuffled[j] as T, shuffled[i] as T]
    }
    return shuffled
  }
}
