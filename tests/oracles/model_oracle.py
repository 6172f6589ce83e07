#!/usr/bin/env python3
"""Compares train.trees and model.evaluate with scikit-learn and XGBoost's own Python package.

usage: model_oracle.py OPERATOR_DRIVER

Makes tables with ties, missing values, categories and unknown categories, runs the operators on
them, and computes the same numbers independently: metrics with scikit-learn (1e-9), intervals with
numpy from the same draws (1e-9), scores with the
trees file loaded into XGBoost (1e-6), and scores of trees that XGBoost trains in Python from the same
numbers (1e-6).  Prints one line a comparison; exits non-zero if one of them fails.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import scipy.stats
import xgboost
from sklearn import metrics as sk

FAILURES = []


def compare(what, ours, theirs, tolerance):
    """One line; `ours` and `theirs` are numbers or arrays."""
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    alike = ours.shape == theirs.shape and ours.size > 0
    difference = float(np.max(np.abs(ours - theirs))) if alike else float("inf")
    good = difference <= tolerance
    print(f"{'ok  ' if good else 'FAIL'} {what}: largest difference {difference:.3g}"
          f" (allowed {tolerance:g})")
    if not good:
        FAILURES.append(what)


def claim(what, holds):
    print(f"{'ok  ' if holds else 'FAIL'} {what}")
    if not holds:
        FAILURES.append(what)


def write_examples(folder, table, parts=2):
    os.makedirs(folder)
    rows = (len(table) + parts - 1) // parts
    schema = pa.Schema.from_pandas(table, preserve_index=False).remove_metadata()
    for part in range(parts):
        piece = table.iloc[part * rows:(part + 1) * rows]
        pq.write_table(pa.Table.from_pandas(piece, schema=schema, preserve_index=False),
                       os.path.join(folder, f"part-{part:05d}.parquet"))


def drive(driver, operator, params, ports, threads=2, seed=0):
    """Runs the operator; the answer as a dictionary."""
    command = [driver, operator, json.dumps(params), str(threads), str(seed), *ports]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{operator} failed: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def encoded(table, signature):
    """The matrix that trees see, by the rules of the docs, written without looking at the code."""
    columns = []
    for feature in signature:
        values = table[feature["name"]]
        if feature["type"] == "string":
            places = {word: place for place, word in enumerate(feature["categories"])}
            values = values.map(places)
        columns.append(pd.to_numeric(values.astype(object), errors="coerce").astype(np.float32))
    return np.column_stack(columns)


def matrix(values, signature, label=None):
    types = ["c" if feature["type"] == "string" else "q" for feature in signature]
    return xgboost.DMatrix(values, label=label, feature_types=types, enable_categorical=True)


def load(folder):
    with open(os.path.join(folder, "model.json"), encoding="utf-8") as file:
        model = json.load(file)
    booster = xgboost.Booster()
    booster.load_model(os.path.join(folder, model["trees"]))
    return model, booster


def digest(folder):
    whole = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            whole.update(name.encode() + b"\0" + file.read())
    return whole.hexdigest()


def table_of(rows, seed, unknown):
    """Numbers with gaps, whole numbers, flags and words; `unknown` adds a word training never saw."""
    random = np.random.default_rng(seed)
    words = ["EWR", "JFK", "LGA", "Zürich"] + (["new"] if unknown else [])
    table = pd.DataFrame({
        "distance": random.integers(1, 5000, rows),
        "wind": np.where(random.random(rows) < 0.2, np.nan, random.normal(10, 4, rows)),
        "coarse": random.integers(0, 3, rows).astype(float),
        "holiday": random.random(rows) < 0.1,
        "origin": random.choice(words, rows),
        "dest": random.choice([f"D{number:03d}" for number in range(120)], rows),
    })
    table.loc[random.random(rows) < 0.05, "origin"] = None
    table["signal"] = (table.distance / 5000 + np.nan_to_num(table.wind) / 20
                       + table.origin.map({"EWR": 0.5, "JFK": -0.5}).fillna(0)
                       + random.normal(0, 0.5, rows))
    return table


def labelled(kind, rows, seed, unknown=False):
    table = table_of(rows, seed, unknown)
    signal = table.pop("signal")
    if kind == "binary":
        table["label"] = pd.array(signal > 1.2, dtype="boolean")
        table.loc[table.index[::97], "label"] = pd.NA
    elif kind == "classes":
        table["label"] = pd.cut(signal, [-9, 0.4, 1.0, 9], labels=["low", "mid", "high"]).astype(str)
    else:
        table["label"] = signal * 10
    return table


def train(driver, work, kind, params, threads=2, name="model"):
    target = os.path.join(work, name)
    drive(driver, "train.trees", params,
          [f"in:examples:examples/1={work}/train", f"out:model:model/1={target}",
           f"out:log:report/1={target}-log"], threads=threads, seed=7)
    return target


def check_scores(kind, work, folder, params):
    """Predictions against the loaded trees, and against trees grown in Python."""
    model, booster = load(folder)
    signature = model["signature"]
    test = pq.read_table(f"{work}/test").to_pandas()
    predictions = pq.read_table(f"{work}/predictions").to_pandas()
    score_columns = [name for name in predictions.columns if name.startswith("score")]
    ours = predictions[score_columns].to_numpy().squeeze()
    theirs = booster.predict(matrix(encoded(test, signature), signature))
    compare(f"{kind}: scores, trees loaded by Python", ours, theirs, 1e-6)

    rows = pq.read_table(f"{work}/train").to_pandas()
    rows = rows[rows.label.notna()]
    label = rows.label
    if kind == "classes":
        label = label.map({word: place for place, word in enumerate(model["label"]["classes"])})
    settings = dict(model["training"]["parameters"], nthread=1)
    grown = xgboost.train(settings, matrix(encoded(rows, signature), signature,
                                           label.to_numpy(dtype=np.float32)),
                          params["rounds"])
    compare(f"{kind}: scores, trees grown by Python", ours,
            grown.predict(matrix(encoded(test, signature), signature)), 1e-6)
    claim(f"{kind}: rows of the predictions", len(predictions) == len(test))
    claim(f"{kind}: the record counts the rows", model["training"]["rows"] == len(rows))
    return predictions


def values_of(evaluation):
    return {(entry["name"], entry["slice"], entry.get("threshold")): entry["value"]
            for entry in evaluation["metrics"]}


def mixed(value):
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def weights_of(seed, resample, rows):
    """How often each row counts in a resample, by the rule of docs/operators.md."""
    golden = np.uint64(0x9E3779B97F4A7C15)
    with np.errstate(over="ignore"):
        state = mixed(mixed(np.uint64(seed) + golden) + np.uint64(resample))
        draws = mixed(state + golden * np.arange(1, rows + 1, dtype=np.uint64))
    return scipy.stats.poisson.ppf((draws.astype(float) + 0.5) / 2.0**64, 1).astype(int)


def threshold_metrics(label, guess):
    tn, fp, fn, tp = sk.confusion_matrix(label, guess, labels=[False, True]).ravel()
    return {"precision": tp / (tp + fp) if guess.any() else None,
            "recall": sk.recall_score(label, guess), "f1": sk.f1_score(label, guess),
            "accuracy": sk.accuracy_score(label, guess),
            "balanced_accuracy": sk.balanced_accuracy_score(label, guess),
            "specificity": sk.recall_score(~label, ~guess),
            "npv": sk.precision_score(~label, ~guess), "fpr": fp / (fp + tn), "fnr": fn / (fn + tp),
            "selection_rate": guess.mean(),
            "mcc": sk.matthews_corrcoef(label, guess) if guess.any() else None}


def plain_metrics(label, score, recalls):
    edges = np.arange(1, 10) / 10
    place = np.digitize(score, edges)
    gap = sum(abs(score[place == one].sum() - label[place == one].sum()) for one in range(10))
    precision, recall, _ = sk.precision_recall_curve(label, score)
    found = {"auc": sk.roc_auc_score(label, score),
             "pr_auc": sk.average_precision_score(label, score),
             "log_loss": sk.log_loss(label, score), "brier": sk.brier_score_loss(label, score),
             "score_mean": score.mean(), "label_mean": label.mean(),
             "calibration": score.mean() / label.mean(), "calibration_error": gap / len(score)}
    for wanted in recalls:
        found[f"precision_at_recall_{wanted}"] = precision[recall >= wanted].max()
    return found


def check_binary(predictions, evaluation, thresholds, recalls):
    known = predictions[predictions.label.notna()]
    values = values_of(evaluation)
    groups = [("", known)]
    groups += [(f"origin={word}", part) for word, part in known.groupby("origin")]
    groups.append(("origin=(missing)", known[known.origin.isna()]))
    groups += [(f"origin=JFK, holiday={str(flag).lower()}", part)
               for flag, part in known[known.origin == "JFK"].groupby("holiday")]
    groups += [("distance=..1000", known[known.distance < 1000]),
               ("distance=1000..3000.5", known[known.distance.between(1000, 3000)]),
               ("distance=3000.5..", known[known.distance > 3000])]
    for slice_name, rows in groups:
        label, score = rows.label.to_numpy(dtype=bool), rows.score.to_numpy()
        for name, value in plain_metrics(label, score, recalls).items():
            compare(f"binary: {name} of '{slice_name}'", values[name, slice_name, None], value, 1e-9)
        for threshold in thresholds:
            for name, value in threshold_metrics(label, score >= threshold).items():
                ours = values[name, slice_name, threshold]
                if value is None:
                    claim(f"binary: {name} of '{slice_name}' at {threshold} is not defined",
                          ours is None)
                else:
                    compare(f"binary: {name} of '{slice_name}' at {threshold}", ours, value, 1e-9)
    claim("binary: rows without label are counted",
          evaluation["rows_without_label"] == int(predictions.label.isna().sum()) > 0)
    check_curves(known, evaluation)
    check_fairness(known, values, thresholds[0])


def check_curves(known, evaluation):
    label, score = known.label.to_numpy(dtype=bool), known.score.to_numpy()
    def points(name):
        curve = next(one for one in evaluation["curves"]
                     if one["name"] == name and one["model"] == "model")
        return np.array([[point["x"], point["y"]] for point in curve["points"]])
    rates = sk.roc_curve(label, score, drop_intermediate=False)
    precision, recall, _ = sk.precision_recall_curve(label, score)
    for name, exact in (("roc", np.column_stack(rates[:2])),
                        ("pr", np.column_stack([recall, precision]))):
        ours = points(name)
        away = np.abs(ours[:, None, :] - exact[None, :, :]).max(axis=2).min(axis=1)
        compare(f"binary: points of the {name} curve", away, np.zeros(len(ours)), 1e-9)
        steps = np.abs(np.diff(ours, axis=0)).sum(axis=1)
        claim(f"binary: the thinned {name} curve is short", len(ours) <= 402)
        if name == "roc":
            claim("binary: the thinned roc curve has no gap", steps.max() < 0.1)
    place = np.digitize(score, np.arange(1, 10) / 10)
    bins = [(score[place == one].mean(), label[place == one].mean())
            for one in range(10) if (place == one).any()]
    compare("binary: the calibration curve", points("calibration"), np.array(bins), 1e-9)


def check_fairness(known, values, threshold):
    """Groups of `origin` against the largest, by hand."""
    largest = known.origin.value_counts(dropna=False).index[0]
    rate = {word: (part.score >= threshold).mean()
            for word, part in known.groupby("origin", dropna=False)}
    truth = {word: (part[part.label == True].score >= threshold).mean()  # noqa: E712
             for word, part in known.groupby("origin", dropna=False)}
    for word in ("EWR", "JFK", "LGA"):
        if word == largest:
            continue
        name = f"origin={word}"
        compare(f"binary: selection_rate_ratio of {name}",
                values["selection_rate_ratio", name, threshold], rate[word] / rate[largest], 1e-9)
        compare(f"binary: recall_difference of {name}",
                values["recall_difference", name, threshold], truth[word] - truth[largest], 1e-9)


def check_intervals(predictions, other, evaluation, seed):
    """Intervals with the same draws, and the same metric by scipy's own bootstrap."""
    known = predictions.label.notna().to_numpy()
    label = predictions.label[known].to_numpy(dtype=bool)
    score, base = predictions.score[known].to_numpy(), other.score[known].to_numpy()
    origin = predictions.origin[known].to_numpy() == "JFK"
    drawn = {"auc": [], "brier": [], "recall": [], "auc-": [], "JFK": []}
    for resample in range(evaluation["bootstraps"]):
        weight = weights_of(seed, resample, len(label))
        drawn["auc"].append(sk.roc_auc_score(label, score, sample_weight=weight))
        drawn["auc-"].append(drawn["auc"][-1]
                             - sk.roc_auc_score(label, base, sample_weight=weight))
        drawn["brier"].append(sk.brier_score_loss(label, score, sample_weight=weight))
        drawn["recall"].append(sk.recall_score(label, score >= 0.5, sample_weight=weight))
        drawn["JFK"].append(sk.roc_auc_score(label[origin], score[origin],
                                             sample_weight=weight[origin]))
    entries = {(one["name"], one["slice"], one.get("threshold")): one
               for one in evaluation["metrics"]}
    for what, key, field in (("auc", ("auc", "", None), "interval"),
                             ("auc-", ("auc", "", None), "difference_interval"),
                             ("JFK", ("auc", "origin=JFK", None), "interval"),
                             ("brier", ("brier", "", None), "interval"),
                             ("recall", ("recall", "", 0.5), "interval")):
        compare(f"intervals: {field} of {key[0]} of '{key[1]}'", entries[key][field],
                np.quantile(drawn[what], [0.05, 0.95]), 1e-9)
    scipys = scipy.stats.bootstrap((label, score), sk.roc_auc_score, paired=True, vectorized=False,
                                   n_resamples=400, confidence_level=0.9, method="percentile",
                                   rng=np.random.default_rng(1)).confidence_interval
    ours = entries["auc", "", None]["interval"]
    width = scipys.high - scipys.low
    claim("intervals: auc's is near that of scipy's bootstrap",
          abs(ours[0] - scipys.low) < 0.25 * width and abs(ours[1] - scipys.high) < 0.25 * width)


def check_classes(predictions, evaluation):
    names = [name for name in predictions.columns if name.startswith("score.")]
    classes = [name[len("score."):] for name in names]
    label, guess = predictions.label, predictions.predicted
    scores = predictions[names].to_numpy()
    values = values_of(evaluation)
    truth = (label.to_numpy()[:, None] == np.array(classes)[None, :]).astype(float)
    in_one = scores / scores.sum(axis=1, keepdims=True)
    expected = {"accuracy": sk.accuracy_score(label, guess),
                "balanced_accuracy": sk.balanced_accuracy_score(label, guess),
                "mcc": sk.matthews_corrcoef(label, guess),
                "log_loss": sk.log_loss(label, in_one, labels=classes),
                "brier": ((scores - truth) ** 2).sum(axis=1).mean()}
    for average in ("macro", "micro", "weighted"):
        for name, function in (("precision", sk.precision_score), ("recall", sk.recall_score),
                               ("f1", sk.f1_score)):
            expected[f"{name}_{average}"] = function(label, guess, average=average)
        if average != "micro":
            expected[f"auc_{average}"] = sk.roc_auc_score(truth, scores, average=average)
    for place, word in enumerate(classes):
        own, called = label == word, guess == word
        expected[f"precision.{word}"] = sk.precision_score(own, called)
        expected[f"recall.{word}"] = sk.recall_score(own, called)
        expected[f"f1.{word}"] = sk.f1_score(own, called)
        expected[f"specificity.{word}"] = sk.recall_score(~own, ~called)
        expected[f"auc.{word}"] = sk.roc_auc_score(own, scores[:, place])
        expected[f"selection_rate.{word}"] = called.mean()
        expected[f"label_mean.{word}"] = own.mean()
    for name, value in expected.items():
        compare(f"classes: {name}", values[name, "", None], value, 1e-9)
    compare("classes: the table of confusions", evaluation["confusion"]["rows"],
            sk.confusion_matrix(label, guess, labels=classes), 0)


def check_values(predictions, evaluation):
    values = values_of(evaluation)
    for name, rows in [("", predictions)] + [(f"origin={word}", part)
                                             for word, part in predictions.groupby("origin")]:
        label, score = rows.label, rows.score
        error = np.abs(score - label)
        expected = {"rmse": np.sqrt(sk.mean_squared_error(label, score)),
                    "mse": sk.mean_squared_error(label, score),
                    "mae": sk.mean_absolute_error(label, score), "r2": sk.r2_score(label, score),
                    "mape": sk.mean_absolute_percentage_error(label[label != 0], score[label != 0]),
                    "error_mean": (score - label).mean(), "score_mean": score.mean(),
                    "label_mean": label.mean(), "error_p50": sk.median_absolute_error(label, score),
                    "error_p90": np.quantile(error, 0.9), "error_p99": np.quantile(error, 0.99)}
        for metric, value in expected.items():
            compare(f"values: {metric} of '{name}'", values[metric, name, None], value, 1e-9)


def check_explanation(driver, work, kind, folder):
    """Shapley values with XGBoost's own; shuffles and dependence by predicting again."""
    model, booster = load(folder)
    signature = model["signature"]
    drive(driver, "model.explain", {"rows": 5000, "repeats": 4, "features_max": 3},
          [f"in:model:model/1={folder}", f"in:examples:examples/1={work}/test",
           f"out:explanation:explanation/1={work}/explanation",
           f"out:contributions:contributions/1={work}/contributions"], seed=5)
    with open(f"{work}/explanation/explanation.json", encoding="utf-8") as file:
        explanation = json.load(file)
    test = pq.read_table(f"{work}/test").to_pandas()
    values = encoded(test, signature)
    theirs = booster.predict(matrix(values, signature), pred_contribs=True, strict_shape=True)
    theirs = theirs.reshape(len(test), -1)
    ours = pq.read_table(f"{work}/contributions").to_pandas().to_numpy()
    compare(f"{kind}: Shapley values of every row", ours, theirs, 1e-5 if kind == "values" else 1e-6)
    margin = booster.predict(matrix(values, signature), output_margin=True, strict_shape=True)
    width = len(signature) + 1
    sums = ours.reshape(len(test), -1, width).sum(axis=2)
    compare(f"{kind}: they add up to the margin", sums, margin, 1e-4 if kind == "values" else 2e-5)
    size = np.abs(ours.reshape(len(test), -1, width)[:, :, :-1]).sum(axis=1).mean(axis=0)
    names = [feature["name"] for feature in signature]
    found = {one["feature"]: one for one in explanation["importance"]}
    compare(f"{kind}: mean Shapley values", [found[name]["shap"] for name in names], size, 1e-9)
    claim(f"{kind}: the most important feature comes first",
          explanation["importance"][0]["feature"] == names[int(np.argmax(size))])
    check_shuffles(kind, model, booster, test, values, explanation)
    check_dependence(kind, booster, signature, values, explanation)
    together = booster.predict(matrix(values[::15][:200], signature), pred_interactions=True,
                               strict_shape=True)
    strength = 2 * np.abs(together).sum(axis=1).mean(axis=0)
    for one in explanation["interactions"]:
        left, right = (names.index(name) for name in one["features"])
        compare(f"{kind}: interaction of {one['features']}", one["strength"],
                strength[left, right], 1e-4 if kind == "values" else 1e-5)


def check_shuffles(kind, model, booster, test, values, explanation):
    label, classes = test.label, model["label"].get("classes")
    known = label.notna().to_numpy()
    signature = model["signature"]
    def metric(inputs):
        scores = booster.predict(matrix(inputs, signature))[known]
        if kind == "binary":
            return sk.roc_auc_score(label[known].astype(bool), scores)
        if kind == "classes":
            return -sk.log_loss(label, scores / scores.sum(axis=1, keepdims=True), labels=classes)
        return -np.sqrt(sk.mean_squared_error(label, scores))
    start, found = metric(values), {one["feature"]: one for one in explanation["importance"]}
    for place, feature in enumerate(signature[:3]):
        losses = []
        for repeat in range(4):
            with np.errstate(over="ignore"):
                first = mixed(mixed(mixed(np.uint64(5)) + np.uint64(place)) + np.uint64(repeat))
                keys = mixed(first + np.arange(len(values), dtype=np.uint64))
            changed = values.copy()
            changed[:, place] = values[np.argsort(keys), place]
            losses.append(start - metric(changed))
        one = found[feature["name"]]
        compare(f"{kind}: shuffling {feature['name']}", one["permutation"], np.mean(losses), 1e-6)
        compare(f"{kind}: its interval", one["permutation_interval"],
                np.quantile(losses, [0.025, 0.975]), 1e-6)


def check_dependence(kind, booster, signature, values, explanation):
    names = [feature["name"] for feature in signature]
    for one in explanation["dependence"]:
        place = names.index(one["feature"])
        for point in one["points"][::4] + one["points"][-1:]:
            value = point["value"]
            if isinstance(value, str):
                value = signature[place]["categories"].index(value)
            changed = values.copy()
            changed[:, place] = np.nan if value is None else value
            scores = booster.predict(matrix(changed, signature)).astype(float)
            compare(f"{kind}: dependence on {one['feature']} at {point['value']}", point["scores"],
                    np.atleast_1d(scores.mean(axis=0)), 1e-5 if kind == "values" else 1e-6)


def run(driver, kind, params):
    with tempfile.TemporaryDirectory() as work:
        write_examples(f"{work}/train", labelled(kind, 6000, 1))
        write_examples(f"{work}/test", labelled(kind, 3000, 2, unknown=True))
        folder = train(driver, work, kind, params)
        again = {digest(train(driver, work, kind, params, threads, f"model{threads}"))
                 for threads in (1, 2, 3, 4)}
        claim(f"{kind}: the same bytes with 1 to 4 threads", again == {digest(folder)})
        thresholds, recalls = [0.5, 0.3, 0.999999], [0.25, 0.8]
        # With a baseline of half the rounds; its scores come from an evaluation of its own.
        half = train(driver, work, kind, dict(params, rounds=params["rounds"] // 2), name="half")
        settings = {"thresholds": thresholds, "recalls": recalls, "keep": ["origin", "holiday", "distance"],
                    "slices": ["origin", ["origin", "holiday"], "distance"],
                    "buckets": {"distance": [1000, 3000.5]}, "fairness": ["origin"],
                    "bootstraps": 60, "confidence": 0.9}
        examples = f"in:examples:examples/1={work}/test"
        drive(driver, "model.evaluate", settings,
              [f"in:model:model/1={folder}", f"in:baseline:model/1={half}", examples,
               f"out:evaluation:evaluation/1={work}/evaluation",
               f"out:predictions:predictions/1={work}/predictions"], seed=77)
        drive(driver, "model.evaluate", {},
              [f"in:model:model/1={half}", examples, f"out:evaluation:evaluation/1={work}/other",
               f"out:predictions:predictions/1={work}/others"])
        with open(f"{work}/evaluation/evaluation.json", encoding="utf-8") as file:
            evaluation = json.load(file)
        predictions = check_scores(kind, work, folder, params)
        check_explanation(driver, work, kind, folder)
        if kind == "binary":
            check_binary(predictions, evaluation, thresholds, recalls)
            others = pq.read_table(f"{work}/others").to_pandas()
            check_intervals(predictions, others, evaluation, 77)
        elif kind == "classes":
            check_classes(predictions, evaluation)
        else:
            check_values(predictions, evaluation)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    driver = os.path.abspath(sys.argv[1])
    print(f"xgboost {xgboost.__version__}")
    run(driver, "binary", {"label": "label", "rounds": 60, "max_depth": 6})
    run(driver, "binary", {"label": "label", "rounds": 30, "max_depth": 4, "subsample": 0.7,
                           "colsample": 0.6, "alpha": 0.1, "lambda": 2.0, "min_child_weight": 5,
                           "learning_rate": 0.3})
    run(driver, "classes", {"label": "label", "rounds": 25, "max_depth": 4})
    run(driver, "values", {"label": "label", "rounds": 50, "max_depth": 5})
    if FAILURES:
        sys.exit(f"{len(FAILURES)} comparisons failed")


if __name__ == "__main__":
    main()
