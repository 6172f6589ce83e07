#!/usr/bin/env python3
"""Compares train.trees and model.evaluate with scikit-learn and XGBoost's own Python package.

usage: model_oracle.py OPERATOR_DRIVER

Makes tables with ties, missing values, categories and unknown categories, runs the operators on
them, and computes the same numbers independently: metrics with scikit-learn (1e-9), scores with the
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


def check_binary(predictions, evaluation, thresholds):
    known = predictions[predictions.label.notna()]
    values = values_of(evaluation)
    groups = [("", known)]
    groups += [(f"origin={word}", part) for word, part in known.groupby("origin")]
    groups.append(("origin=(missing)", known[known.origin.isna()]))
    for slice_name, rows in groups:
        label, score = rows.label.to_numpy(dtype=bool), rows.score.to_numpy()
        expected = {"auc": sk.roc_auc_score(label, score),
                    "pr_auc": sk.average_precision_score(label, score),
                    "log_loss": sk.log_loss(label, score),
                    "brier": sk.brier_score_loss(label, score),
                    "score_mean": score.mean(), "label_mean": label.mean()}
        for name, value in expected.items():
            compare(f"binary: {name} of '{slice_name}'", values[name, slice_name, None], value, 1e-9)
        for threshold in thresholds:
            guess = score >= threshold
            for name, function in (("precision", sk.precision_score), ("recall", sk.recall_score),
                                   ("f1", sk.f1_score), ("accuracy", sk.accuracy_score)):
                ours = values[name, slice_name, threshold]
                if ours is None:
                    claim(f"binary: {name} of '{slice_name}' at {threshold} has no value because "
                          "nothing is called positive", not guess.any())
                else:
                    compare(f"binary: {name} of '{slice_name}' at {threshold}", ours,
                            function(label, guess), 1e-9)
    claim("binary: rows without label are counted",
          evaluation["rows_without_label"] == int(predictions.label.isna().sum()) > 0)
    curve = next(one for one in evaluation["curves"] if one["name"] == "roc")
    rates = sk.roc_curve(known.label.to_numpy(dtype=bool), known.score, drop_intermediate=False)
    exact = np.column_stack(rates[:2])
    ours = np.array([[point["x"], point["y"]] for point in curve["points"]])
    away = np.abs(ours[:, None, :] - exact[None, :, :]).max(axis=2).min(axis=1)
    compare("binary: points of the ROC curve", away, np.zeros(len(ours)), 1e-9)
    steps = np.abs(np.diff(ours, axis=0)).sum(axis=1)
    claim("binary: the thinned ROC curve has no gap", len(ours) <= 402 and steps.max() < 0.1)


def check_classes(predictions, evaluation):
    names = [name for name in predictions.columns if name.startswith("score.")]
    classes = [name[len("score."):] for name in names]
    label, guess = predictions.label, predictions.predicted
    scores = predictions[names].to_numpy()
    values = values_of(evaluation)
    scores_in_one = scores / scores.sum(axis=1, keepdims=True)
    expected = {"accuracy": sk.accuracy_score(label, guess),
                "log_loss": sk.log_loss(label, scores_in_one, labels=classes),
                "precision_macro": sk.precision_score(label, guess, average="macro"),
                "recall_macro": sk.recall_score(label, guess, average="macro"),
                "f1_macro": sk.f1_score(label, guess, average="macro")}
    for name, value in expected.items():
        compare(f"classes: {name}", values[name, "", None], value, 1e-9)


def check_values(predictions, evaluation):
    values = values_of(evaluation)
    label, score = predictions.label, predictions.score
    compare("values: rmse", values["rmse", "", None],
            np.sqrt(sk.mean_squared_error(label, score)), 1e-9)
    compare("values: mae", values["mae", "", None], sk.mean_absolute_error(label, score), 1e-9)
    compare("values: r2", values["r2", "", None], sk.r2_score(label, score), 1e-9)


def run(driver, kind, params):
    with tempfile.TemporaryDirectory() as work:
        write_examples(f"{work}/train", labelled(kind, 6000, 1))
        write_examples(f"{work}/test", labelled(kind, 3000, 2, unknown=True))
        folder = train(driver, work, kind, params)
        again = {digest(train(driver, work, kind, params, threads, f"model{threads}"))
                 for threads in (1, 2, 3, 4)}
        claim(f"{kind}: the same bytes with 1 to 4 threads", again == {digest(folder)})
        thresholds = [0.5, 0.3, 0.999999]
        drive(driver, "model.evaluate",
              {"thresholds": thresholds, "slices": ["origin"], "keep": ["origin"]},
              [f"in:model:model/1={folder}", f"in:examples:examples/1={work}/test",
               f"out:evaluation:evaluation/1={work}/evaluation",
               f"out:predictions:predictions/1={work}/predictions"])
        with open(f"{work}/evaluation/evaluation.json", encoding="utf-8") as file:
            evaluation = json.load(file)
        predictions = check_scores(kind, work, folder, params)
        if kind == "binary":
            check_binary(predictions, evaluation, thresholds)
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
