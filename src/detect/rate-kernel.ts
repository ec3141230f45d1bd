// Decayed sums over a principal's history: a cascade of m + 1 exponential filters, so that the last hours weigh nothing.
// Pure; bounded (m + 1 doubles per summed quantity); times in epoch milliseconds.
// Additions must come in ascending time, which folding closed blocks guarantees; then no step subtracts, and nothing cancels.

/** The kernel's numbers as plain data: `newest` is the time of the latest addition, null before the first. */
export interface DecayedSumsState {
  readonly newest: number | null
  /** m + 1 moments per channel, channel after channel; empty before the first addition, when all are 0. */
  readonly moments: readonly number[]
}

/** C(n, k) for the small n of a filter cascade. */
function binomial(n: number, k: number): number {
  let value = 1
  for (let j = 1; j <= k; j++) value = (value * (n - k + j)) / j
  return value
}

// The numbers of a cascade, made once per number of filters: every principal's sums share them.
const cascades = new Map<number, Cascade>()

interface Cascade {
  /** Row k holds C(k, 0) … C(k, k). */
  readonly binomials: readonly (readonly number[])[]
  /** 1 over the largest value of a^m e^(-a). */
  readonly peak: number
}

function cascadeOf(filters: number): Cascade {
  const known = cascades.get(filters)
  if (known !== undefined) return known
  const row = (k: number) => Array.from({ length: k + 1 }, (_, j) => binomial(k, j))
  const binomials = Array.from({ length: filters + 1 }, (_, k) => row(k))
  const cascade = { binomials, peak: filters === 0 ? 1 : (Math.E / filters) ** filters }
  cascades.set(filters, cascade)
  return cascade
}

/**
 * Sums Σ x w(age) of several quantities that are added at the same times, with
 * w(a) = (a / (m τ))^m e^(m - a/τ): 0 at age 0, peak 1 at age m τ; plain e^(-a/τ) for m = 0.
 * This is the impulse response of m + 1 equal exponential filters in a row, an Erlang density scaled to peak 1.
 *
 * Kept as moments M_k = Σ x e^(-a) a^k of the age a (in units of τ) at the newest addition. Moving that reference by d
 * is M_k ← e^(-d) Σ_j C(k, j) d^(k-j) M_j, a sum of positive terms.
 */
export class DecayedSums {
  readonly #filters: number
  readonly #tauMs: number
  readonly #channels: number
  readonly #cascade: Cascade
  #newest: number | null
  #moments: number[]

  /** `filters` is m ≥ 0, `tauMs` the time constant of each, `channels` how many quantities are summed. */
  constructor(filters: number, tauMs: number, channels: number, state?: DecayedSumsState) {
    this.#filters = filters
    this.#tauMs = tauMs
    this.#channels = channels
    this.#cascade = cascadeOf(filters)
    this.#newest = state?.newest ?? null
    this.#moments =
      state == null || state.moments.length === 0
        ? new Array<number>((filters + 1) * channels).fill(0)
        : state.moments.slice()
  }

  /** Adds one value per channel at `time`, which is not before the previous addition. */
  add(time: number, values: readonly number[]): void {
    const size = this.#filters + 1
    if (this.#newest !== null && time > this.#newest) this.#age((time - this.#newest) / this.#tauMs)
    this.#newest = this.#newest === null ? time : Math.max(this.#newest, time)
    for (let c = 0; c < this.#channels; c++) {
      this.#moments[c * size] = (this.#moments[c * size] ?? 0) + (values[c] ?? 0)
    }
  }

  #age(d: number): void {
    const size = this.#filters + 1
    const decay = Math.exp(-d)
    const aged = new Array<number>(this.#moments.length).fill(0)
    for (let c = 0; c < this.#channels; c++) {
      for (let k = 0; k < size; k++) aged[c * size + k] = decay * this.#shifted(c, k, d)
    }
    this.#moments = aged
  }

  /** Σ_j C(k, j) d^(k-j) M_j by Horner's scheme in d. */
  #shifted(channel: number, k: number, d: number): number {
    const row = this.#cascade.binomials[k] ?? []
    const base = channel * (this.#filters + 1)
    let total = 0
    for (let j = 0; j <= k; j++) total = total * d + (row[j] ?? 0) * (this.#moments[base + j] ?? 0)
    return total
  }

  /** The decayed sum of one channel as seen from `time`, which is not before the newest addition; 0 before any. */
  value(channel: number, time: number): number {
    if (this.#newest === null) return 0
    const d = Math.max(0, time - this.#newest) / this.#tauMs
    return this.#cascade.peak * Math.exp(-d) * this.#shifted(channel, this.#filters, d)
  }

  /**
   * ∫ w over ages 0 to `ageMs`, in milliseconds: what a channel would hold at one event per millisecond, hence the
   * effective length of the history. τ m! (e/m)^m times the Erlang distribution function of shape m + 1.
   */
  exposure(ageMs: number): number {
    if (ageMs <= 0) return 0
    const y = ageMs / this.#tauMs
    const m = this.#filters
    let factorial = 1
    for (let k = 2; k <= m; k++) factorial *= k
    return this.#tauMs * this.#cascade.peak * factorial * erlang(m, y)
  }

  clone(): DecayedSums {
    return new DecayedSums(this.#filters, this.#tauMs, this.#channels, {
      newest: this.#newest,
      moments: this.#moments,
    })
  }

  /** Plain data for the state record. */
  snapshot(): DecayedSumsState {
    return { newest: this.#newest, moments: this.#newest === null ? [] : this.#moments.slice() }
  }
}

/** 1 - e^(-y) Σ_{k ≤ m} y^k / k!, from the side of the sum on which nothing cancels. */
function erlang(m: number, y: number): number {
  let term = Math.exp(-y)
  if (y > m + 1) {
    let head = term
    for (let k = 1; k <= m; k++) {
      term *= y / k
      head += term
    }
    return 1 - head
  }
  for (let k = 1; k <= m + 1; k++) term *= y / k
  let tail = 0
  for (let k = m + 2; term > tail * 1e-17; k++) {
    tail += term
    term *= y / k
  }
  return tail
}
