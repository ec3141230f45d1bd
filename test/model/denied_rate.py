#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0. The executable definition of rate_anomaly; docs/decisions/0011-rate-model.md explains it.
"""Reference model of the `rate_anomaly` correlation, written to be read next to docs/decisions/0011-rate-model.md.

Plain and slow on purpose: one class, event in, verdict out. It is the oracle for the TypeScript
implementation: same events in the same order must give the same verdicts, p-values within 1e-9 relative.

  python3 denied_rate.py selftest     invariants of the model
  python3 denied_rate.py oc           operating characteristics on a simulated population (minutes; needs numpy, scipy)

Times are seconds here (floats); the product uses integer milliseconds.
"""
import math
import sys

HOUR, DAY = 3600.0, 86400.0


def log_beta(a, b):
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)


def nb_tail(d, size, mean):
    """P(X >= d) for a negative binomial with the given size r and mean, d >= 1.

    Equals the regularised incomplete beta I_{1-p}(d, r), p = r/(r+mean). Summed upwards from d in log space,
    so a tail of 1e-300 is as exact as one of 0.1; the complement 1 - P(X < d) is used when it is the small part.
    """
    if d <= 0:
        return 1.0
    if mean <= 0:
        return 0.0
    p = size / (size + mean)
    q = 1.0 - p
    log_pmf = (math.lgamma(d + size) - math.lgamma(d + 1) - math.lgamma(size)
               + size * math.log(p) + d * math.log(q))
    if d > mean:                      # upper tail by direct summation, terms fall geometrically
        term, total, k = 1.0, 1.0, d
        while term > total * 1e-17 and k < d + 1_000_000:
            term *= q * (k + size) / (k + 1)
            total += term
            k += 1
        return min(1.0, math.exp(log_pmf) * total)
    below, k = 0.0, 0                 # else 1 - sum of the lower part
    log_term = size * math.log(p)
    while k < d:
        below += math.exp(log_term)
        log_term += math.log(q * (k + size) / (k + 1))
        k += 1
    return max(0.0, 1.0 - below)


class Kernel:
    """Cascade of m+1 exponential averages: w(a) = (a/(m tau))^m e^(m - a/tau), peak 1 at a = m tau, w(0) = 0 for m > 0.

    m = 0 is the plain exponentially weighted sum. Sums are kept as moments S_0..S_m relative to a reference time,
    so adding is commutative: any arrival order gives the same value up to rounding.
    """

    def __init__(self, m, tau):
        self.m, self.tau, self.ref, self.s = m, tau, None, [0.0] * (m + 1)
        self.norm = (math.e / m) ** m if m else 1.0

    def add(self, t, x):
        if x == 0:
            return
        if self.ref is None:
            self.ref = t
        if t - self.ref > 30 * self.tau:      # keep exponents small
            self._rebase(t)
        y = (t - self.ref) / self.tau
        e = math.exp(y)
        for k in range(self.m + 1):
            self.s[k] += x * e * y ** k

    def _rebase(self, t):
        d = (t - self.ref) / self.tau
        old = self.s
        self.s = [math.exp(-d) * sum(math.comb(k, j) * old[j] * (-d) ** (k - j) for j in range(k + 1))
                  for k in range(self.m + 1)]
        self.ref = t

    def value(self, t):
        if self.ref is None:
            return 0.0
        d = (t - self.ref) / self.tau
        total = sum(math.comb(self.m, k) * d ** (self.m - k) * (-1) ** k * self.s[k] for k in range(self.m + 1))
        return max(0.0, self.norm * math.exp(-d) * total)

    def exposure(self, age):
        """Integral of w over [0, age], in seconds: what the sum would be at one event per second."""
        if age <= 0:
            return 0.0
        y, m = age / self.tau, self.m
        head = math.exp(-y) * sum(y ** k / math.factorial(k) for k in range(m + 1))
        scale = self.tau * math.factorial(m) * math.e ** m / m ** m if m else self.tau
        return scale * (1.0 - head)


class DeniedRate:
    """State of one rule for one principal."""

    def __init__(self, window=1800.0, lateness=900.0, m=3, tau=7 * DAY, a0=0.5, b0=10 * HOUR,
                 alpha=1e-6, min_count=5, min_distinct=3, phi0=2.0, phi_blocks=48.0):
        self.W, self.L = window, lateness
        self.a0, self.b0 = a0, b0
        self.alpha, self.min_count, self.min_distinct = alpha, min_count, min_distinct
        self.phi0, self.phi_blocks = phi0, phi_blocks
        self.sum, self.sum_sq = Kernel(m, tau), Kernel(m, tau)
        self.first = None                  # earliest population event
        self.max_time = -math.inf          # newest event time of the principal
        self.recent = []                   # denials inside window + lateness: (time, secret), sorted
        self.blocks = {}                   # open aligned blocks: index -> count

    def predict(self, t):
        """Size and mean of the predictive distribution of the count in one window at time t."""
        age = 0.0 if self.first is None else t - self.first
        a_sum, q_sum = self.sum.value(t), self.sum_sq.value(t)
        e = self.sum.exposure(age)                         # seconds
        k = e / self.W                                     # effective number of blocks
        a, b = self.a0 + a_sum, self.b0 + e
        mean = a / b * self.W
        block_mean = (a_sum + 1e-9) / (k + 1e-9)
        excess = max((q_sum - a_sum) / max(k, 1.0) - block_mean ** 2, 0.0) / max(block_mean ** 2, 1e-6)
        phi = (self.phi_blocks * self.phi0 + k * min(excess, 200.0)) / (self.phi_blocks + k)
        return 1.0 / (phi + 1.0 / a), mean

    def observe(self, t, denied, secret=None):
        """One population event (already deduplicated by event id). Returns a verdict dict or None."""
        if t < self.max_time - self.L:
            return None                                    # late: counted elsewhere, never evaluated
        self.first = t if self.first is None else min(self.first, t)
        self.max_time = max(self.max_time, t)
        self._fold()
        horizon = self.max_time - self.L - self.W
        self.recent = [r for r in self.recent if r[0] > horizon]
        if not denied:
            return None
        self.recent.append((t, secret))
        self.recent.sort(key=lambda r: r[0])
        block = math.floor(t / self.W)
        self.blocks[block] = self.blocks.get(block, 0) + 1
        best = None
        for end, _ in self.recent:                         # every window (end - W, end] that holds this event
            if not (t <= end < t + self.W):
                continue
            inside = [r for r in self.recent if end - self.W < r[0] <= end]
            count, distinct = len(inside), len({s for _, s in inside})
            if count < self.min_count or distinct < self.min_distinct:
                continue
            size, mean = self.predict(end)
            p = nb_tail(count, size, mean)
            if best is None or p < best["p_value"]:
                best = dict(p_value=p, count=count, distinct=distinct, expected=mean, window_end=end,
                            anomalous=p <= self.alpha)
        return best

    def _fold(self):
        """Closed blocks enter the baseline, winsorised against what was predicted for them."""
        for block in sorted(b for b in self.blocks if (b + 1) * self.W + self.L <= self.max_time):
            x, end = self.blocks.pop(block), (block + 1) * self.W
            _, mean = self.predict(end)
            b = self.b0 + self.sum.exposure(max(0.0, end - self.first))
            cap = max(float(self.min_count), mean + 4 * math.sqrt(mean * (1 + self.W / b) + 2 * mean * mean))
            u = min(float(x), cap)
            self.sum.add(end, u)
            self.sum_sq.add(end, u * u)


def selftest():
    import random
    rng = random.Random(1)
    k1, k2 = Kernel(3, 7 * DAY), Kernel(3, 7 * DAY)
    pts = [(rng.uniform(0, 400 * DAY), rng.randint(1, 5)) for _ in range(500)]
    for t, x in pts:
        k1.add(t, x)
    for t, x in sorted(pts):
        k2.add(t, x)
    ref = sum(x * ((400 * DAY - t) / (21 * DAY)) ** 3 * math.exp(3 - (400 * DAY - t) / (7 * DAY)) for t, x in pts)
    assert abs(k2.value(400 * DAY) - ref) < 1e-9 * ref, (k2.value(400 * DAY), ref)
    assert abs(k1.value(400 * DAY) - ref) < 1e-6 * ref
    n = 200000
    num = sum(((i + .5) * 100 * DAY / n / (21 * DAY)) ** 3 * math.exp(3 - (i + .5) * 100 / n / 7) for i in range(n)) * 100 * DAY / n
    assert abs(k1.exposure(100 * DAY) - num) < 1e-6 * num
    d = DeniedRate()
    for i in range(4):
        assert d.observe(i * 10.0, True, f"s{i}") is None
    v = d.observe(50.0, True, "s5")
    assert v and v["anomalous"], v                         # a new principal is not a blind spot
    d = DeniedRate()
    assert all(d.observe(i * 10.0, True, "same") is None for i in range(50))   # one secret retried is not enumeration
    for size, mean, x in [(.5, .025, 5), (3.2, 40.0, 20), (.48, .0007, 9)]:
        pmf, total, k = size * math.log(size / (size + mean)), 0.0, 0
        while k < x + 5000:
            if k >= x:
                total += math.exp(pmf)
            pmf += math.log((mean / (size + mean)) * (k + size) / (k + 1))
            k += 1
        assert abs(nb_tail(x, size, mean) - total) <= 1e-9 * total, (size, mean, x)
    print("selftest ok")


def population(rng, n, days):
    """Denials per principal: 55 % quiet (0.01/h), 35 % moderate (lognormal about 0.3/h), 10 % noisy (about 6/h);
    half of the latter two also have benign bursts (a broken deployment): one block in 96, negative binomial mean 6."""
    import numpy as np
    out = []
    for _ in range(n):
        u = rng.random()
        kind = 0 if u < .55 else 1 if u < .9 else 2
        rate = .01 if kind == 0 else rng.lognormal(math.log(.3), 1) if kind == 1 else rng.lognormal(math.log(6), .7)
        bursty = kind > 0 and rng.random() < .5
        times = list(np.sort(rng.random(rng.poisson(rate * days * 24)) * days * DAY))
        if bursty:
            for b in range(days * 48):
                if rng.random() < 1 / 96:
                    c = rng.negative_binomial(2, .25)
                    times += list(b * 1800 + rng.random(c) * 1800)
        out.append((kind, bursty, sorted(times)))
    return out


def oc(n=400, days=42, seed=11):
    import numpy as np
    rng = np.random.default_rng(seed)
    pop = population(rng, n, days)
    fp = {True: 0, False: 0}
    cnt = {True: 0, False: 0}
    hit = {}
    for kind, bursty, times in pop:
        d, last = DeniedRate(), -1e18
        d.observe(0.0, False)
        cnt[bursty] += 1
        probe = []
        for t in times:
            if t > 30 * DAY and not probe:
                probe = [d]
            v = d.observe(t, True, int(rng.integers(40)))
            if v and v["anomalous"] and t > 21 * DAY:
                if t - last > 7200:
                    fp[bursty] += 1
                last = t
        for size in (6, 10, 20, 40):
            e = DeniedRate()
            e.observe(0.0, False)
            for t in times:
                if t > 30 * DAY:
                    break
                e.observe(t, True, int(rng.integers(40)))
            got = False
            for j in range(size):
                v = e.observe(30 * DAY + j * 20.0, True, 1000 + j)
                got |= bool(v and v["anomalous"])
            hit.setdefault((size, kind), []).append(got)
    d2 = days - 21
    print(f"false episodes per 1000 principals per day: steady {1000*fp[False]/max(1,cnt[False])/d2:.2f}  with benign bursts {1000*fp[True]/max(1,cnt[True])/d2:.2f}  all {1000*(fp[False]+fp[True])/n/d2:.2f}")
    for size in (6, 10, 20, 40):
        print(f"burst of {size}: detected quiet/moderate/noisy " + " ".join(f"{np.mean(hit[(size, k)]):.2f}" for k in range(3)))
    days_to, found = [], 0
    for i in range(60):
        d = DeniedRate(); d.observe(0.0, False)
        t, first = 0.0, None
        ev = list(np.sort(rng.random(rng.poisson(.01 * 20 * 24)) * 20 * DAY))
        for h in range(16 * 48):
            ev += list(20 * DAY + h * 1800 + rng.random(rng.poisson(.05 * 2 ** (h / 96) * .5)) * 1800)
        for t in sorted(ev):
            v = d.observe(t, True, int(rng.integers(40)))
            if v and v["anomalous"] and t > 20 * DAY:
                first = (t - 20 * DAY) / DAY
                break
        if first is not None:
            found += 1; days_to.append(first)
    print(f"slow ramp (0.05/h doubling every 2 days): detected {found/60:.2f}, median day {np.median(days_to):.1f}")


if __name__ == "__main__":
    {"selftest": selftest, "oc": oc}[sys.argv[1] if len(sys.argv) > 1 else "selftest"]()
