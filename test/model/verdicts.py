#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0. Runs the reference model over streams that the TypeScript tests generate.
"""Reads one JSON line per stream, {"parameters": {...}, "events": [[ms, denied, secret], ...]}, and writes one line per
stream with the verdict of every event: null, or [p_value, anomalous, count, distinct, expected, window_end].

The model knows no unit of time: the keyword arguments arrive in milliseconds, so its times are exact integers.

The model's Kernel keeps alternating moments about an old reference time, and loses up to ten digits of them in the first
days after a silence of months. An oracle must not round, so here the sum is taken as its docstring defines it, over every
addition. `--as-written` keeps the moments. `--first-denials` runs the variant of first_denials.py.
"""
import json
import math
import sys

import denied_rate
from denied_rate import DeniedRate, Kernel
from first_denials import FirstDenialsRate


class ExactKernel(Kernel):
    """Sum of x w(a), w(a) = (a / (m tau))^m e^(m - a / tau), with every addition remembered."""

    def __init__(self, m, tau):
        super().__init__(m, tau)
        self.added = []

    def add(self, t, x):
        self.added.append((t, x))

    def value(self, t):
        m, tau = self.m, self.tau
        peak = (math.e / m) ** m if m else 1.0
        return math.fsum(x * peak * ((t - s) / tau) ** m * math.exp(-(t - s) / tau) for s, x in self.added)


if "--as-written" not in sys.argv:
    denied_rate.Kernel = ExactKernel
Model = FirstDenialsRate if "--first-denials" in sys.argv else DeniedRate

for line in sys.stdin:
    stream = json.loads(line)
    model = Model(**stream["parameters"])
    verdicts = []
    for time, denied, secret in stream["events"]:
        verdict = model.observe(time, denied, secret)
        verdicts.append(verdict and [verdict["p_value"], verdict["anomalous"], verdict["count"], verdict["distinct"],
                                     verdict["expected"], verdict["window_end"]])
    print(json.dumps(verdicts))
