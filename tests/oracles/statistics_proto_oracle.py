#!/usr/bin/env python3
"""Reads what data.export_statistics writes with tensorflow_metadata and compares it with pandas and numpy; writes a
message as TFDV does, with that library, and compares what data.import_statistics and data.validate make of it.

usage: statistics_proto_oracle.py RUN_DATA_OPERATOR            exit 77: a library is not there
"""
import json
import os
import subprocess
import sys
import tempfile

try:
    import numpy as np
    import pandas as pd
    from tensorflow_metadata.proto.v0 import statistics_pb2 as proto
except ImportError as missing:
    print(f"not possible here: {missing}")
    sys.exit(77)

RUN = sys.argv[1]
failures = []


def check(what, good, why=""):
    if not good:
        failures.append(what)
        print("FAILED:", what, why)


def close(what, a, b, tolerance=1e-12):
    check(what, abs(a - b) <= tolerance * max(abs(a), abs(b), 1e-300), f"{a} is not {b}")


def operate(operator, inputs, outputs, params=None):
    words = [RUN, operator, "--params", json.dumps(params or {})]
    for port, kind, folder in outputs:
        words += ["--output", port, kind, folder]
    for port, kind, folder in inputs:
        words += ["--input", port, kind, folder]
    return json.loads(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def folder_of(work, name, content):
    folder = os.path.join(work, name)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, "FeatureStats.pb"), "wb") as file:
        file.write(content)
    return folder


def make(count, seed):
    r = np.random.default_rng(seed)
    number = np.round(r.lognormal(3, 1.4, count), 3)
    number[r.random(count) < 0.04] = np.nan
    return pd.DataFrame({
        "whole": r.integers(-40, 90, count),
        "number": number,
        "kind": np.array(["a", "b", "ü", None], dtype=object)[r.choice(4, count, p=[0.5, 0.3, 0.15, 0.05])],
        "flag": r.random(count) < 0.3,
        "weight": np.round(r.random(count) * 3, 2),
        "day": pd.to_datetime(15_000 + r.integers(0, 300, count), unit="D").date,
    })


def statistics(work, name, table, params):
    files = os.path.join(work, name + "-rows")
    os.makedirs(files)
    table.to_parquet(os.path.join(files, "rows.parquet"))
    out = os.path.join(work, name)
    answer = operate("data.statistics", [("examples", "files/1", files)], [("statistics", "statistics/1", out)], params)
    check("data.statistics", answer == {"error": "", "outcome": "ok"}, answer)
    return out


def exported(work, source):
    out = os.path.join(work, "exported")
    answer = operate("data.export_statistics", [("statistics", "statistics/1", source)], [("proto", "files/1", out)])
    check("data.export_statistics", answer == {"error": "", "outcome": "ok"}, answer)
    message = proto.DatasetFeatureStatisticsList()
    message.ParseFromString(open(out + "/FeatureStats.pb", "rb").read())
    return out, message


def compare_numbers(name, feature, column, weights):
    good = column.notna().to_numpy()
    values, own = column[good].to_numpy(float), feature.num_stats
    for what, is_, should in [
            ("count", own.common_stats.num_non_missing, len(values)),
            ("values", own.common_stats.tot_num_values, len(values)),
            ("missing", own.common_stats.num_missing, len(column) - len(values)),
            ("zeros", own.num_zeros, int((values == 0).sum())), ("mean", own.mean, values.mean()),
            ("deviation", own.std_dev, values.std()), ("min", own.min, values.min()), ("max", own.max, values.max()),
            ("median", own.median, np.median(values)),
            ("weighted mean", own.weighted_numeric_stats.mean, np.average(values, weights=weights[good])),
            ("weighted count", own.common_stats.weighted_common_stats.num_non_missing, weights[good].sum()),
            ("weighted missing", 1 + own.common_stats.weighted_common_stats.num_missing, 1 + weights[~good].sum())]:
        close(f"{name}: {what}", is_, should)
    standard, quantiles = own.histograms
    check(f"{name}: kinds", (standard.type, quantiles.type) == (proto.Histogram.STANDARD, proto.Histogram.QUANTILES))
    counts, edges = np.histogram(values, bins=10)
    check(f"{name}: histogram", [b.sample_count for b in standard.buckets] == list(counts))
    for bucket, edge in zip(standard.buckets, edges):
        close(f"{name}: edge", bucket.low_value + 1000, edge + 1000)
    for index, bucket in enumerate(quantiles.buckets):
        close(f"{name}: quantile", bucket.high_value, np.quantile(values, (index + 1) / len(quantiles.buckets)))


def compare_texts(name, feature, column, weights):
    counts = column.dropna().astype(str).value_counts()
    own = feature.string_stats
    check(f"{name}: unique", own.unique == len(counts))
    check(f"{name}: top", {v.value: v.frequency for v in own.top_values} == counts.to_dict())
    check(f"{name}: ranks", [(b.label, b.sample_count) for b in own.rank_histogram.buckets] == list(counts.items()))
    for top in own.weighted_string_stats.top_values:
        close(f"{name}: weight of {top.value}", top.frequency, weights[(column.astype(str) == top.value).to_numpy()].sum())


def compare_export(work):
    table = make(5000, 7)
    source = statistics(work, "statistics", table, {"weight": "weight", "slices": ["kind"], "cross": ["whole*number"]})
    out, message = exported(work, source)
    check("data sets", [d.name for d in message.datasets] ==
          ["All Examples", "kind=(missing)", "kind=a", "kind=b", "kind=ü"], [d.name for d in message.datasets])
    whole = message.datasets[0]
    check("rows", whole.num_examples == len(table))
    weights = table["weight"].to_numpy()
    close("weighted rows", whole.weighted_num_examples, weights.sum())
    features = {f.name: f for f in whole.features}
    check("kinds", {n: f.type for n, f in features.items()} == {
        "whole": 0, "number": 1, "kind": 2, "flag": 2, "weight": 1, "day": 0})
    for name in ("whole", "number", "weight"):
        compare_numbers(name, features[name], table[name], weights)
    compare_texts("kind", features["kind"], table["kind"], weights)
    compare_texts("flag", features["flag"], table["flag"].map({True: "true", False: "false"}), weights)
    days = (pd.to_datetime(table["day"]) - pd.Timestamp(0)).dt.days
    check("day", (features["day"].num_stats.min, features["day"].num_stats.max) == (days.min(), days.max()))
    part = table[table["kind"] == "b"]
    b = {f.name: f for f in message.datasets[3].features}
    check("slice", message.datasets[3].num_examples == len(part))
    close("slice: mean", b["whole"].num_stats.mean, part["whole"].mean())
    cross, = whole.cross_features
    both = table.dropna(subset=["number"])
    close("correlation", cross.num_cross_stats.correlation, np.corrcoef(both["whole"], both["number"])[0, 1], 1e-6)
    return source, out


def compare_round(work, source, out):
    """What was exported and imported again says the same, field by field, as far as the message has room."""
    back = os.path.join(work, "back")
    answer = operate("data.import_statistics", [("proto", "files/1", out)], [("statistics", "statistics/1", back)])
    check("data.import_statistics", answer == {"error": "", "outcome": "ok"}, answer)
    was, is_ = (json.load(open(folder + "/statistics.json")) for folder in (source, back))
    check("round: rows", was["rows"] == is_["rows"])
    check("round: slices", [s["name"] for s in was["slices"]] == [s["name"] for s in is_["slices"]])
    for before, after in zip(was["features"], is_["features"]):
        for key, value in after.items():
            if key == "length_mean":
                close("round: length", before[key], value, 1e-6)
            elif key == "value_counts":
                check(f"round: {before['name']} {key}", sorted(before[key]) == sorted(value))
            elif key == "quantiles" or key == "quantile_histogram":
                check(f"round: {before['name']} {key}", len(before[key]) == len(value), value)
            else:
                check(f"round: {before['name']} {key}", before[key] == value, (before[key], value))
    flag = next(f for f in is_["features"] if f["name"] == "flag")
    check("round: bool", flag["type"] == "bool" and flag["true"] > 0)


def add_values(data, name, kind, counts):
    feature = data.features.add(type=kind)
    feature.path.step.append(name)
    own = feature.string_stats
    own.common_stats.num_non_missing = own.common_stats.tot_num_values = sum(counts.values())
    own.unique, own.avg_length = len(counts), 2.5
    for rank, (value, count) in enumerate(counts.items()):
        own.top_values.add(value=value, frequency=count)
        own.rank_histogram.buckets.add(low_rank=rank, high_rank=rank, label=value, sample_count=count)


def as_tfdv():
    """A table of 100 rows as StatisticsGen writes it: paths, categorical ints, two histograms."""
    message = proto.DatasetFeatureStatisticsList()
    data = message.datasets.add(name="", num_examples=100)
    add_values(data, "late", proto.FeatureNameStatistics.STRING, {"no": 50, "yes": 50})
    add_values(data, "gate", proto.FeatureNameStatistics.INT, {"7": 60, "-2": 40})
    fare = data.features.add(type=proto.FeatureNameStatistics.FLOAT)
    fare.path.step.append("fare")
    own = fare.num_stats
    own.common_stats.num_non_missing = own.common_stats.tot_num_values = 90
    own.common_stats.num_missing = 10
    own.mean, own.std_dev, own.min, own.median, own.max = 5.0, 2.0, 0.0, 5.0, 10.0
    standard = own.histograms.add(type=proto.Histogram.STANDARD)
    for low in range(10):
        standard.buckets.add(low_value=low, high_value=low + 1, sample_count=9)
    quantiles = own.histograms.add(type=proto.Histogram.QUANTILES)
    for low in (0, 5):
        quantiles.buckets.add(low_value=low, high_value=low + 5, sample_count=45)
    return message


def compare_baseline(work):
    """50/50 in the file and 70/30 in the rows is a distance of 0.2, and a halt where 0.1 is allowed."""
    given = folder_of(work, "tfdv", as_tfdv().SerializeToString())
    base = os.path.join(work, "baseline")
    answer = operate("data.import_statistics", [("proto", "files/1", given)], [("statistics", "statistics/1", base)],
                     {"label": "late"})
    check("import of TFDV's", answer == {"error": "", "outcome": "ok"}, answer)
    read = json.load(open(base + "/statistics.json"))
    check("TFDV's features", [(f["name"], f["type"]) for f in read["features"]] ==
          [("late", "string"), ("gate", "int"), ("fare", "float")], read)
    check("categorical ints", read["features"][1]["value_counts"] == [[7, 60], [-2, 40]])
    check("quantiles", read["features"][2]["quantiles"] == [{"q": 0.5, "value": 5.0}])
    table = pd.DataFrame({"late": ["yes"] * 70 + ["no"] * 30, "gate": [7] * 60 + [-2] * 40,
                          "fare": [None] * 10 + list(np.linspace(0, 9.999, 90))})
    now = statistics(work, "now", table, {"label": "late"})
    rows = os.path.join(work, "now-examples")
    operate("ingest.files", [("files", "files/1", now + "-rows")], [("examples", "examples/1", rows)])
    found = os.path.join(work, "found")
    answer = operate("data.validate", [("examples", "examples/1", rows), ("statistics", "statistics/1", now),
                                       ("baseline", "statistics/1", base)],
                     [("anomalies", "anomalies/1", found), ("report", "report/1", found + "-report"),
                      ("examples", "examples/1", found + "-rows"), ("remedy", "remedy/1", found + "-remedy")],
                     {"drift": {"late": {"l_infinity": 0.1}, "gate": {"l_infinity": 0.1}}, "small_sample": 0})
    anomalies = json.load(open(found + "/anomalies.json"))
    measured = {c["feature"]: c["value"] for c in anomalies["comparisons"] if c.get("measure") == "l_infinity"}
    close("distance of the label", measured["late"], 0.2)
    check("distance of the ints", measured["gate"] == 0, measured)
    check("halt", answer["outcome"] == "halt", answer)


def compare_refusals(work):
    both = proto.DatasetFeatureStatisticsList()
    both.datasets.add(name="train", num_examples=1)
    both.datasets.add(name="test", num_examples=2)
    cases = [(b"\x0a\x05ab", {}, "a field of 5 bytes has only 2"), (b"", {}, "there is no data set in it"),
             (both.SerializeToString(), {}, "name one with `dataset`; it has 'train', 'test'"),
             (both.SerializeToString(), {"dataset": "eval"}, "there is no data set 'eval'; it has 'train', 'test'")]
    for index, (content, params, why) in enumerate(cases):
        answer = operate("data.import_statistics", [("proto", "files/1", folder_of(work, f"bad{index}", content))],
                         [("statistics", "statistics/1", os.path.join(work, f"never{index}"))], params)
        check("refusal", answer["outcome"] != "ok" and why in answer["error"], answer)
    out = os.path.join(work, "chosen")
    operate("data.import_statistics", [("proto", "files/1", folder_of(work, "both", both.SerializeToString()))],
            [("statistics", "statistics/1", out)], {"dataset": "test"})
    check("chosen data set", json.load(open(out + "/statistics.json"))["rows"] == 2)


with tempfile.TemporaryDirectory() as place:
    compare_round(place, *compare_export(place))
    compare_baseline(place)
    compare_refusals(place)
print(f"{len(failures)} differences")
sys.exit(1 if failures else 0)
