#!/usr/bin/env python3
"""Compares the distances of numbers with many values, dates and times with numpy and scipy on generated tables.

usage: drift_oracle.py RUN_DATA_OPERATOR            exit 77: a library is not there
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pandas as pd
    from scipy import stats as scipy_stats
    from scipy.spatial.distance import jensenshannon
except ImportError as missing:
    print(f"not possible here: {missing}")
    sys.exit(77)

RUN = sys.argv[1]
failures = []


def check(what, good):
    if not good:
        failures.append(what)
        print("FAILED:", what)


def operate(operator, inputs, outputs, params=None):
    words = [RUN, operator, "--params", json.dumps(params or {})]
    for port, kind, folder in inputs:
        words += ["--input", port, kind, folder]
    for port, kind, folder in outputs:
        words += ["--output", port, kind, folder]
    answer = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    check(f"{operator}: {answer}", answer["error"] == "")


def make(rows, distinct, seed, shift):
    r = np.random.default_rng(seed)
    days = r.integers(15_000, 15_000 + max(2, distinct // 50), rows) + int(40 * shift)
    number = np.round(r.gamma(2 + shift, 3, rows) * distinct / 30)
    number[r.random(rows) < 0.05] = 0  # one value that many rows have
    return pd.DataFrame({
        "number": number / 7,
        "whole": number.astype("int64") * 3 - 500,
        "day": pd.to_datetime(days, unit="D").date,
        "time": pd.to_datetime(days * 86400 + r.integers(0, max(1, distinct // 9), rows) * 61, unit="s"),
    })


def write(folder, frame):
    os.makedirs(folder)
    frame.to_parquet(folder + "/rows.parquet", index=False)


def in_numbers(column):
    if column.name == "day":
        return (pd.to_datetime(column).to_numpy("datetime64[D]").astype("int64")).astype(float)
    if column.name == "time":
        return column.to_numpy("datetime64[us]").astype("int64").astype(float)
    return column.to_numpy(float)


def histogram(x, days):
    """Buckets as docs/formats.md describes them: edges and counts."""
    if days:
        low, count = int(x.min()), int(x.max() - x.min()) + 1
        parts = min(10, count)
        edges = np.array([low + i * count // parts for i in range(parts + 1)], float)
    else:
        edges = np.floor(x.min() + (x.max() - x.min()) / 10 * np.arange(11))
    return edges, np.histogram(x, np.append(edges[:-1], np.inf))[0]


def shannon(a, b, days):
    """Both histograms over their common edges, what is in a bucket spread evenly."""
    sides = [histogram(x, days) for x in (a, b)]
    edges = np.unique(np.concatenate([edge for edge, _ in sides]))
    shares = []
    for own, counts in sides:
        below = np.interp(edges, own, np.concatenate([[0], np.cumsum(counts)]))
        shares.append(np.diff(below) / counts.sum())
    return jensenshannon(shares[0], shares[1], 2) ** 2


def compare(where, comparison, before, now):
    """A comparison.json beside scipy; gives which columns were known exactly."""
    exact = set()
    for feature in comparison["features"]:
        name, found = feature["name"], feature["distances"]
        a, b = in_numbers(before[name].dropna()), in_numbers(now[name].dropna())
        at = f"{where} {name}"
        error = feature.get("errors", {}).get("ks", 0)
        few = max(len(np.unique(a)), len(np.unique(b))) <= 1000
        check(f"{at}: exact up to 1,000 values {error}", error == 0 if few else 0 < error <= 0.013)
        if error == 0:
            exact.add(name)
        ks = scipy_stats.ks_2samp(a, b, method="asymp").statistic
        check(f"{at}: ks {found['ks']} {ks} ± {error}", abs(found["ks"] - ks) <= error + 1e-12)
        wanted = scipy_stats.wasserstein_distance(a, b) / a.std()
        near = 1e-9 if error == 0 else 0.02
        check(f"{at}: wasserstein {found['wasserstein']} {wanted}",
              abs(found["wasserstein"] - wanted) <= near * max(1, wanted))
        if name in ("day", "time"):
            wanted = shannon(a, b, name == "day")
            check(f"{at}: jensen_shannon {found['jensen_shannon']} {wanted}",
                  abs(found["jensen_shannon"] - wanted) <= (1e-6 if name == "day" or error < 0.004 else 0.02))
            check(f"{at}: the score is that", feature["score"] == found["jensen_shannon"])
    return exact


def main():
    seen = set()
    with tempfile.TemporaryDirectory() as work:
        for rows, distinct, shift in ((800, 300, 0.3), (20_000, 900, 0), (60_000, 30_000, 0.1),
                                      (200_000, 3_000_000, 0.4), (500, 100, 9)):
            where = f"{rows} {distinct} {shift}"
            at = f"{work}/{rows}-{distinct}"
            frames = [make(rows, distinct, seed, s) for seed, s in ((1, 0), (2, shift))]
            for side, frame in zip("ab", frames):
                write(f"{at}-{side}-in", frame)
                operate("data.statistics", [("examples", "files/1", f"{at}-{side}-in")],
                        [("statistics", "statistics/1", f"{at}-{side}")])
            operate("data.report", [("statistics", "statistics/1", at + "-b"), ("before", "statistics/1", at + "-a")],
                    [("report", "report/1", at + "-report")])
            seen.add(frozenset(compare(where, json.load(open(at + "-report/comparison.json")), *frames)))
    check(f"some were exact and some were not: {seen}", len(seen) > 1)
    print("ok" if not failures else f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
