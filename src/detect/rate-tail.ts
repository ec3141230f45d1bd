// Log-gamma and the upper tail of the negative binomial: the p-value of the rate model.
// Pure numbers. Twelve digits for tails down to the smallest double, in bounded time: a principal with thousands of
// denials per window costs tens of steps, not a sum over every count.

/** B_2k / (2k (2k-1)) for k = 1..8: coefficients of Stirling's series, NIST DLMF 5.11.1. */
const stirling = [1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188, -691 / 360360, 1 / 156, -3617 / 122400] as const

const halfLogTwoPi = 0.9189385332046727

/**
 * ln Γ(x) for x > 0; infinite at 0 and below is not asked for. Absolute error below 1e-14 · max(1, |ln Γ(x)|).
 *
 * Stirling's series after shifting x above 10 by Γ(x+1) = x Γ(x) (DLMF 5.5.1): there the first term left out is below 2e-18.
 */
export function logGamma(x: number): number {
  let shift = 1
  let z = x
  while (z < 10) {
    shift *= z
    z += 1
  }
  const inverse = 1 / z
  const square = inverse * inverse
  let series = 0
  for (let k = stirling.length - 1; k >= 0; k--) series = series * square + (stirling[k] ?? 0)
  return (z - 0.5) * Math.log(z) - z + halfLogTwoPi + series * inverse - Math.log(shift)
}

/** Smallest magnitude a denominator may take in Lentz's method, so that a zero does not divide. */
const tiny = 1e-300

/**
 * The continued fraction of the incomplete beta function, NIST DLMF 8.17.22, by the modified Lentz method.
 * Converges in the order of the square root of the larger of a and b steps for x up to about a / (a+b).
 */
function betaFraction(a: number, b: number, x: number): number {
  let c = 1
  let d = 1 - ((a + b) * x) / (a + 1)
  d = 1 / (Math.abs(d) < tiny ? tiny : d)
  let value = d
  for (let m = 1; m <= 100_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 + even * d
    d = 1 / (Math.abs(d) < tiny ? tiny : d)
    c = 1 + even / c
    c = Math.abs(c) < tiny ? tiny : c
    value *= d * c
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 + odd * d
    d = 1 / (Math.abs(d) < tiny ? tiny : d)
    c = 1 + odd / c
    c = Math.abs(c) < tiny ? tiny : c
    const step = d * c
    value *= step
    if (Math.abs(step - 1) < 1e-16) break
  }
  return value
}

/**
 * P(X ≥ count) for a negative binomial X with the given size r > 0 and mean ≥ 0; 0 to 1.
 *
 * Equals the regularised incomplete beta I_q(count, r) with q = mean / (r + mean) (DLMF 8.17.24). The factor before the
 * fraction is then the probability of `count` itself, taken in logarithms, so a tail of 1e-300 is as exact as one of 0.1.
 * Up to the mean the complement is the part that converges, exact to 1e-13 absolutely. Beyond the smallest double 0.
 */
export function negativeBinomialTail(count: number, size: number, mean: number): number {
  if (count <= 0) return 1
  if (!(mean > 0)) return 0
  const p = size / (size + mean)
  const q = mean / (size + mean)
  // p near 1 (a quiet principal) loses digits in log(p); log1p(-q) does not.
  const logP = p > 0.5 ? Math.log1p(-q) : Math.log(p)
  const logQ = q > 0.5 ? Math.log1p(-p) : Math.log(q)
  const logFront = logGamma(count + size) - logGamma(size) + size * logP + count * logQ
  if (count > mean) {
    return Math.min(1, Math.exp(logFront - logGamma(count + 1)) * betaFraction(count, size, q))
  }
  const below = (Math.exp(logFront - logGamma(count)) / size) * betaFraction(size, count, p)
  return Math.max(0, 1 - below)
}
