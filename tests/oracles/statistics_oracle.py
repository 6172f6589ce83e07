#!/usr/bin/env python3
"""Compares data.statistics and data.merge_statistics with numpy and pandas on generated tables: of few values, of
more than are counted exactly, weighted, straight from CSV and Parquet, and merged from parts.

usage: statistics_oracle.py RUN_DATA_OPERATOR            exit 77: a library is not there
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pandas as pd
except ImportError as missing:
    print(f"not possible here: {missing}")
    sys.exit(77)

RUN = sys.argv[1]
failures = []


def check(what, good, why=""):
    if not good:
        failures.append(what)
        print("FAILED:", what, why)


def close(a, b, tolerance=1e-12):
    return abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-300)


def operate(operator, inputs, output, params=None):
    words = [RUN, operator, "--params", json.dumps(params or {}), "--output", "statistics", "statistics/1", output]
    for port, kind, folder in inputs:
        words += ["--input", port, kind, folder]
    answer = json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)
    check(operator, answer == {"error": "", "outcome": "ok"}, answer)
    return json.load(open(output + "/statistics.json"))


def make(count, distinct, seed):
    r = np.random.default_rng(seed)
    number = np.round(r.lognormal(3, 1.4, count), 3)
    number[r.random(count) < 0.04] = np.nan
    return pd.DataFrame({
        "whole": r.integers(-distinct // 2, distinct, count),
        "number": number,
        "small": r.integers(0, 5, count) * 0.1,
        "word": [f"wört {v}" for v in r.zipf(1.3, count) % distinct],
        "unique": [f"{v:016x}" for v in r.integers(0, 2**62, count)],
        "flag": r.random(count) < 0.3,
        "kind": np.array(["a", "b", "ü"])[r.integers(0, 3, count)],
        "stamp": 1_400_000_000 + r.integers(0, 10**7, count),
        "weight": np.round(r.random(count) * 3, 2),
        "day": pd.to_datetime(15_000 + r.integers(0, max(3, distinct // 40), count), unit="D").date,
    })


def rank_off(values, value, q):
    """By which share of the values the rank of an answer misses q."""
    low, high = np.searchsorted(values, value, "left"), np.searchsorted(values, value, "right")
    at = q * len(values)
    return max(0.0, low - at - 1, at - high - 1) / len(values)


def check_number(where, f, x):
    check(where + " mean", close(f["mean"], float(np.mean(x, dtype=np.longdouble))))
    check(where + " std", close(f["std_dev"], float(np.std(x.astype(np.longdouble))), 1e-11))
    check(where + " extremes", f["min"] == x.min() and f["max"] == x.max())
    check(where + " zeros", f["zeros"] == int((x == 0).sum()))
    if f["type"] == "int":
        check(where + " sum", f["sum"] == int(x.sum()))
    else:
        check(where + " sum", close(f["sum"], float(np.sum(x.astype(np.longdouble)))))
    values = np.sort(x)
    allowed = f.get("rank_error", 0)
    for q in f["quantiles"] + [{"q": 0.5, "value": f["median"]}]:
        if allowed:
            check(where + f" rank of {q}", rank_off(values, q["value"], q["q"]) <= 1.5 * allowed)
        else:
            check(where + f" quantile {q}", close(q["value"], np.quantile(values, q["q"]), 1e-9))
    for bucket in f["quantile_histogram"]:
        check(where + " equal counts", close(bucket["count"], len(x) / len(f["quantile_histogram"])))
    if f["min"] < f["max"]:
        counts, edges = np.histogram(x, 10)
        got = np.array([b["count"] for b in f["histogram"]])
        on_edge = sum(int(np.isclose(x, e, rtol=1e-12).sum()) for e in edges)
        check(where + " histogram", got.sum() == len(x) and np.abs(np.cumsum(got - counts)).max()
              <= 1.5 * allowed * len(x) + on_edge, got - counts)


def check_text(where, f, values):
    lengths, sizes = values.str.len(), values.map(lambda v: len(v.encode()))
    for name, seen in (("length", lengths), ("bytes", sizes)):
        check(where + f" {name}", close(f[name + "_mean"], seen.mean()) and f[name + "_min"] == seen.min()
              and f[name + "_max"] == seen.max())
    counts = values.value_counts()
    error = f.get("top_values_error", 0)
    for entry in f["top_values"]:
        true = counts[entry["value"]]
        check(where + f" count of {entry}", true - error <= entry["count"] <= true, true)
    listed = {entry["value"] for entry in f["top_values"]}
    for value, count in counts.head(20).items():
        check(where + f" has {value}", value in listed or count <= error + f["top_values"][-1]["count"]
              if f["top_values"] else count <= error, count)


def weight_off(values, weights, value, q):
    """By which share of the weight the rank of an answer misses q."""
    total = weights.sum()
    low, high = weights[values < value].sum() / total, weights[values <= value].sum() / total
    return max(0.0, low - q, q - high)


def check_weighted(where, f, values, w):
    """Median, quantiles, histogram and frequent values by weight, beside numpy and pandas."""
    own = f["weighted"]
    error = own.get("rank_error", 0)
    if f["type"] in ("int", "float", "date"):
        read = (lambda v: v) if f["type"] != "date" else (lambda v: np.datetime64(v, "D").astype(int))
        x = values.to_numpy() if f["type"] != "date" else values.to_numpy("datetime64[D]").astype(int)
        for q in own["quantiles"] + [{"q": 0.5, "value": own["median"]}]:
            check(where + f" weighted rank of {q}", weight_off(x, w, read(q["value"]), q["q"]) <= error + 1e-9)
        edges = [read(b["low"]) for b in own["histogram"]]
        last = read(own["histogram"][-1]["high"])
        check(where + " edges", edges[0] == x.min() and last == x.max() + (f["type"] == "date"))
        counts, got = np.histogram(x, edges + [np.inf], weights=w)[0], [b["count"] for b in own["histogram"]]
        on_edge = sum(w[np.isclose(x, e, rtol=1e-12)].sum() for e in edges) if f["type"] != "date" else 0
        check(where + " weighted histogram", np.abs(np.cumsum(got) - np.cumsum(counts)).max()
              <= error * w.sum() + on_edge + 1e-9 * w.sum(), np.array(got) - counts)
    if f["type"] == "bool":
        check(where + " weight of true", close(own["true"], w[values.astype(bool)].sum(), 1e-11))
    if f["type"] == "string" or f["type"] == "int" and "top_values" in own:
        sums = pd.Series(w).groupby(values.to_numpy()).sum().sort_values(ascending=False)
        error = own.get("top_values_error", 0)
        check(where + " some are listed", len(own["top_values"]) == 20 or error > 0 or len(sums) < 20)
        for entry in own["top_values"]:
            true = sums[entry["value"]]
            check(where + f" weight of {entry}", true * (1 - 1e-12) - error <= entry["weight"] <= true * (1 + 1e-12), true)
        least = own["top_values"][-1]["weight"] if own["top_values"] else 0
        listed = {entry["value"] for entry in own["top_values"]}
        for value, weight in sums.head(20).items():
            check(where + f" {value} by weight", value in listed or weight <= error + least + 1e-9, weight)


def check_statistics(name, stats, frame, weighted):
    check(f"{name}: rows", stats["rows"] == len(frame))
    for f in stats["features"]:
        column, where = frame[f["name"]], f"{name}: {f['name']}"
        values = column.dropna()
        check(where + " count", f["count"] == len(values) and f["missing"] == len(frame) - len(values))
        distinct = values.nunique()
        check(where + " unique", abs(f["unique"] - distinct) <= 4 * f.get("unique_error", 0) * distinct, f["unique"])
        if f["type"] in ("int", "float"):
            check_number(where, f, values.to_numpy())
        elif f["type"] == "string":
            check_text(where, f, values)
        elif f["type"] == "bool":
            check(where + " true", f["true"] == int(values.sum()) and f["false"] == int((~values).sum()))
        if weighted:
            w = frame.weight[values.index].to_numpy()
            check(where + " weight", close(f["weighted"]["count"], w.sum(), 1e-11))
            check_weighted(where, f, values, w)
        if weighted and f["type"] in ("int", "float"):
            mean = np.average(values, weights=w)
            spread = np.sqrt(np.average((values - mean) ** 2, weights=w))
            check(where + " weighted mean", close(f["weighted"]["mean"], mean, 1e-10))
            check(where + " weighted std", close(f["weighted"]["std_dev"], spread, 1e-9))
    if len(frame) < 5_000:
        return
    domains = {f["name"]: f["domain"]["format"] for f in stats["features"] if f.get("domain", {}).get("kind") == "time"}
    check(f"{name}: times", domains == {"stamp": "unix_seconds"}, domains)


def check_slices(name, stats, frame, weighted):
    """Each slice is what the statistics of its rows alone are."""
    high = (frame.number > 20).map({True: "true", False: "false"})
    flag = frame.flag.map({True: "true", False: "false"})
    parts = {}
    for words in ("kind=" + frame.kind, "flag=" + flag, "high=" + high, "kind=" + frame.kind + ", high=" + high):
        parts.update({word: frame[words == word] for word in words.unique()})
    check(f"{name}: slices", [one["name"] for one in stats["slices"]] == sorted(parts, key=str.encode))
    for one in stats["slices"]:
        check_statistics(f"{name} {one['name']}", one, parts[one["name"]], weighted)


def check_cross(name, stats, frame):
    number, lift = stats["cross"]
    both = frame[["number", "whole"]].dropna()
    check(f"{name}: correlation", close(number["correlation"], np.corrcoef(both.number, both.whole)[0, 1], 1e-9))
    check(f"{name}: covariance", close(number["covariance"], np.cov(both.number, both.whole, bias=True)[0, 1], 1e-9))
    check(f"{name}: count of pairs", number["count"] == len(both) and lift["count"] == len(frame))
    table = pd.crosstab(frame.kind, frame.flag)
    for pair in lift["lift"]:
        meet = table.loc[pair["x"], pair["y"] == "true"]
        expected = meet * table.values.sum() / table.loc[pair["x"]].sum() / table[pair["y"] == "true"].sum()
        check(f"{name}: lift", pair["count"] == meet and close(pair["lift"], expected))
    check(f"{name}: all pairs", len(lift["lift"]) == int((table.values > 0).sum()))


def deliver(folder, frame, kind):
    os.makedirs(folder)
    if kind == "csv":
        frame.to_csv(folder + "/rows.csv", index=False)
    else:
        frame.to_parquet(folder + "/rows.parquet", index=False, row_group_size=50_000)
    return ("examples", "files/1", folder)


def main():
    with tempfile.TemporaryDirectory() as work:
        for count, distinct, seed in ((5_000, 300, 1), (150_000, 120_000, 2)):
            frame = make(count, distinct, seed)
            for kind in ("csv", "parquet"):
                for weighted in (False, True):
                    sliced = count == 5_000 or (kind == "parquet") != weighted
                    name = f"{count} {kind}" + (" weighted" if weighted else "")
                    at = f"{work}/{count}-{kind}-{weighted}"
                    params = {"label": "flag", "cross": ["number*whole", "kind*flag"],
                              **({"slices": ["kind", "flag", ["kind", "high"]], "where": {"high": "number > 20"}}
                                 if sliced else {})}
                    params.update({"weight": "weight"} if weighted else {})
                    whole = operate("data.statistics", [deliver(at + "-in", frame, kind)], at, params)
                    check_statistics(name, whole, frame, weighted)
                    check_cross(name, whole, frame)
                    if sliced:
                        check_slices(name, whole, frame, weighted)
                    parts = []
                    for i in range(7):
                        part = frame.iloc[i * count // 7:(i + 1) * count // 7]
                        folder = f"{at}-part{i}"
                        operate("data.statistics", [deliver(folder + "-in", part, kind)], folder, params)
                        parts.append(("statistics", "statistics/1", folder))
                    merged = operate("data.merge_statistics", parts, at + "-merged")
                    check_statistics(name + " merged", merged, frame, weighted)
                    check_cross(name + " merged", merged, frame)
                    if sliced:
                        check_slices(name + " merged", merged, frame, weighted)
    print("ok" if not failures else f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
