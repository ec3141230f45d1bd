#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0. The executable definition of `model: first-denials`; docs/decisions/0011-rate-model.md.
"""The variant of denied_rate.py that looks at which secrets are new, and learns how large benign bursts are.

  first denials  a secret that is not known is denied for the first time; such denials are a stream of their own with its
                 own history (another DeniedRate). A secret is known once its last denial has left the window and the
                 lateness; the last KNOWN of them are kept, first in, first out.
  bursts         blocks of min_count denials or more, and by how much they exceed it.

p-value of a window: the smaller of the tail of its first denials (if at least min_distinct), and the shared model's tail
plus (share of burst blocks) * (geometric tail of the size). Secrets are numbers here: they break ties.
"""
import math

import denied_rate
from denied_rate import DeniedRate, nb_tail

KNOWN, BURST_CAP, FORGIVEN = 64, 50, 0.5


class FirstDenialsRate(DeniedRate):
    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.firsts = DeniedRate(**parameters)
        tau, m = parameters["tau"], parameters["m"]
        self.bursts, self.sizes = denied_rate.Kernel(m, tau), denied_rate.Kernel(m, tau)
        self.known = []
        self.since = {}                    # secrets in memory: their earliest denial since they came into it

    def first_times(self):
        return [time for secret, time in self.since.items() if secret not in self.known]

    def p_value(self, end, count):
        size, mean = self.predict(end)
        shared = nb_tail(count, size, mean)
        self.firsts.first = self.first
        n = sum(end - self.W < t <= end for t in self.first_times())
        size_n, mean_n = self.firsts.predict(end)
        new = nb_tail(n, size_n, mean_n) if n >= self.min_distinct else 1.0
        bursts, sizes = self.bursts.value(end), self.sizes.value(end)
        blocks = self.sum.exposure(end - self.first) / self.W
        learned = max(0.0, bursts - FORGIVEN)
        if learned > 0:
            excess = (self.min_count + sizes) / (1.0 + bursts)
            geometric = (excess / (1.0 + excess)) ** (count - self.min_count)
            shared += learned / (bursts + blocks) * geometric
        return min(new, shared), mean

    def observe(self, t, denied, secret_of_event=None):
        if t < self.max_time - self.L:
            return None
        self.first = t if self.first is None else min(self.first, t)
        self.max_time = max(self.max_time, t)
        self._fold()
        horizon = self.max_time - self.L - self.W
        last = {secret: max(time for time, other in self.recent if other == secret) for secret in self.since}
        for secret in sorted((s for s in last if last[s] <= horizon), key=lambda s: (last[s], s)):
            del self.since[secret]
            if secret not in self.known:
                self.known = (self.known + [secret])[-KNOWN:]
        self.recent = [r for r in self.recent if r[0] > horizon]
        if not denied:
            return None
        self.since[secret_of_event] = min(t, self.since.get(secret_of_event, t))
        self.recent.append((t, secret_of_event))
        block = math.floor(t / self.W)
        self.blocks[block] = self.blocks.get(block, 0) + 1
        best = None
        for end in sorted({r[0] for r in self.recent if t <= r[0] < t + self.W}):
            inside = [s for time, s in self.recent if end - self.W < time <= end]
            count, distinct = len(inside), len(set(inside))
            if count < self.min_count or distinct < self.min_distinct:
                continue
            p, mean = self.p_value(end, count)
            if best is None or p < best["p_value"]:
                best = dict(p_value=p, count=count, distinct=distinct, expected=mean, window_end=end,
                            anomalous=p <= self.alpha)
        return best

    def _fold(self):
        self.firsts.first, self.firsts.max_time = self.first, self.max_time
        for block in sorted(b for b in self.blocks if (b + 1) * self.W + self.L <= self.max_time):
            n = sum(math.floor(t / self.W) == block for t in self.first_times())
            if n:
                self.firsts.blocks[block] = n
            if self.blocks[block] >= self.min_count:
                end = (block + 1) * self.W
                self.bursts.add(end, 1.0)
                self.sizes.add(end, float(min(self.blocks[block] - self.min_count, BURST_CAP)))
        self.firsts._fold()
        super()._fold()
