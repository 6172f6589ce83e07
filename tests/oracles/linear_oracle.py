#!/usr/bin/env python3
"""Compares train.linear with scikit-learn, and model.evaluate's scores with numpy.

usage: linear_oracle.py OPERATOR_DRIVER

The same rows, the same penalties, another solver: weights within 1e-3 of their size, losses within
1e-9 above scikit-learn's or below, scores of single weights recomputed from the model's files within
32-bit rounding.  Prints one line a comparison; exits non-zero if one of them fails.
"""
import json
import os
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn import linear_model as lm
from sklearn.utils.class_weight import compute_sample_weight

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from transform_oracle import FAILURES, claim, compare, digest, drive, write_examples  # noqa: E402

ROWS = 7000
NUMBERS = ["a", "b", "c", "d"]


def table_of(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({name: random.normal(place, 1 + place, ROWS)
                          for place, name in enumerate(NUMBERS)})
    table["word"] = random.choice(["x", "y", "z"], ROWS)
    table["useless"] = random.normal(0, 1, ROWS)
    signal = table.a - 0.5 * table.b + 0.3 * table.c + (table.word == "y") * 1.5
    table["late"] = signal + random.logistic(0, 1, ROWS) > 1
    table["class"] = np.select([signal + random.normal(0, 1, ROWS) < 0, signal > 1.5],
                               ["low", "high"], "mid")
    table["value"] = 100 + 7 * signal + random.normal(0, 2, ROWS)
    table["count"] = random.poisson(np.exp(0.2 * signal))
    return table


FEATURES = {**{name: {"method": "number", "scale": "z_score"} for name in NUMBERS + ["useless"]},
            "word": {"method": "one_hot"}}


class Work:
    def __init__(self, driver, folder):
        self.driver, self.folder = driver, folder
        self.train, self.test = table_of(1), table_of(2)
        write_examples(f"{folder}/train", self.train)
        write_examples(f"{folder}/test", self.test)
        drive(driver, "transform.fit", {"features": FEATURES},
              [f"in:examples:examples/1={folder}/train", f"out:transform:transform/1={folder}/transform"])
        drive(driver, "transform.apply", {},
              [f"in:examples:examples/1={folder}/train", f"in:transform:transform/1={folder}/transform",
               f"out:examples:examples/1={folder}/numbers"])
        self.numbers = pq.read_table(f"{folder}/numbers").to_pandas()
        self.matrix = self.numbers.to_numpy().astype(np.float32).astype(float)
        self.made = 0

    def fit(self, params, threads=2):
        self.made += 1
        target = f"{self.folder}/model{self.made}"
        import subprocess
        ports = [f"in:examples:examples/1={self.folder}/train",
                 f"in:transform:transform/1={self.folder}/transform", f"out:model:model/1={target}"]
        done = subprocess.run([self.driver, "train.linear", json.dumps({"tolerance": 1e-8, "steps": 2000,
                                                                        **params}),
                               str(threads), "0", *ports], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(done.stdout + done.stderr)
        return target

    def weights(self, target):
        with open(f"{target}/linear.json", encoding="utf-8") as file:
            linear = json.load(file)
        return np.array(linear["intercepts"]), np.array(linear["weights"])

    def scores(self, target):
        folder = f"{target}-predictions"
        drive(self.driver, "model.evaluate", {},
              [f"in:model:model/1={target}", f"in:examples:examples/1={self.folder}/test",
               f"out:evaluation:evaluation/1={target}-evaluation",
               f"out:predictions:predictions/1={folder}"])
        return pq.read_table(folder).to_pandas()


def check_regression(work):
    for name, params, sk_model, label in (
            ("ridge", {"label": "value", "l2": 0.01}, lm.Ridge(alpha=0.01 * ROWS, tol=1e-12), "value"),
            ("elastic net", {"label": "value", "l1": 0.3, "l2": 0.1},
             lm.ElasticNet(alpha=0.4, l1_ratio=0.75, tol=1e-12, max_iter=100000), "value"),
            ("poisson", {"label": "count", "objective": "count:poisson", "l2": 0.01},
             lm.PoissonRegressor(alpha=0.01, tol=1e-10, max_iter=5000), "count")):
        intercept, weights = work.weights(work.fit(params))
        sk_model.fit(work.matrix, work.train[label])
        compare(f"{name}: weights", weights[0], sk_model.coef_, 1e-4)
        compare(f"{name}: intercept", intercept[0], sk_model.intercept_, 1e-4)
        if "l1" in params:
            claim(f"{name}: the same weights are 0", ((weights[0] == 0) == (sk_model.coef_ == 0)).all()
                  and (weights[0] == 0).any())


def check_classes(work):
    l2 = 1e-3
    late = work.train.late.to_numpy()
    for name, params, weight in (("logistic", {}, None),
                                 ("balanced logistic", {"class_weights": "balanced"}, "balanced")):
        target = work.fit({"label": "late", "l2": l2, **params})
        intercept, weights = work.weights(target)
        total = ROWS if weight is None else compute_sample_weight(weight, late).sum()
        sk_model = lm.LogisticRegression(C=1 / (l2 * total), class_weight=weight, tol=1e-10, max_iter=9000)
        sk_model.fit(work.matrix, late)
        compare(f"{name}: weights", weights, sk_model.coef_, 1e-4)
        compare(f"{name}: intercept", intercept, sk_model.intercept_, 1e-4)
    sparse = lm.LogisticRegression(C=1 / (0.02 * ROWS), l1_ratio=1, solver="saga", tol=1e-9,
                                   max_iter=20000)
    sparse.fit(work.matrix, late)
    intercept, weights = work.weights(work.fit({"label": "late", "l1": 0.02, "l2": 0}))
    compare("logistic with absolute penalty: weights", weights, sparse.coef_, 1e-3)
    claim("logistic with absolute penalty: the same weights are 0",
          ((weights == 0) == (np.abs(sparse.coef_) < 1e-9)).all() and (weights == 0).any())
    target = work.fit({"label": "class", "l2": l2})
    intercept, weights = work.weights(target)
    sk_model = lm.LogisticRegression(C=1 / (l2 * ROWS), tol=1e-10, max_iter=9000)
    sk_model.fit(work.matrix, work.train["class"])
    compare("softmax: weights", weights, sk_model.coef_, 1e-4)
    compare("softmax: differences of intercepts", np.diff(intercept), np.diff(sk_model.intercept_), 1e-4)
    return target, sk_model


def check_scores(work, target, sk_model):
    drive(work.driver, "transform.apply", {},
          [f"in:examples:examples/1={work.folder}/test",
           f"in:transform:transform/1={work.folder}/transform",
           f"out:examples:examples/1={work.folder}/testnumbers"])
    test = pq.read_table(f"{work.folder}/testnumbers").to_pandas().to_numpy()
    predictions = work.scores(target)
    names = [f"score.{word}" for word in sk_model.classes_]
    compare("softmax: scores by evaluation", predictions[names], sk_model.predict_proba(test), 1e-4)
    binary = work.fit({"label": "late", "l2": 1e-3})
    intercept, weights = work.weights(binary)
    expected = 1 / (1 + np.exp(-(test @ weights[0] + intercept[0])))
    compare("logistic: scores from the model's files", work.scores(binary).score, expected, 1e-6)


def check_sizes(work):
    """Counts, indices and numbers in millions and millionths, none of them scaled: the default steps
    find the least, below what scikit-learn's first solver finds and as Newton's method does."""
    random = np.random.default_rng(5)
    table = work.train[["late"]].copy()
    table["text"] = ["".join(random.choice(list("abc dE1,"), random.integers(1, 400))) for _ in range(ROWS)]
    table["income"] = random.lognormal(14, 1, ROWS)
    table["share"] = random.normal(2e-6, 1e-6, ROWS)
    table["late"] = (table.text.str.len() / 100 + np.log(table.income) + table.share * 1e6
                     + random.logistic(0, 1, ROWS)) > 18
    write_examples(f"{work.folder}/sizes", table)
    raw = {"method": "number"}
    features = {"income": raw, "share": raw,
                "many": {"method": "text_counts", "from": "text"},
                "letters": {"method": "characters", "from": "text", "length": 8, "top_k": 20},
                "words": {"method": "tokens", "from": "text", "length": 4, "top_k": 200}}
    ports = [f"in:examples:examples/1={work.folder}/sizes", f"in:transform:transform/1={work.folder}/sizing"]
    drive(work.driver, "transform.fit", {"features": features},
          [ports[0], f"out:transform:transform/1={work.folder}/sizing"])
    drive(work.driver, "transform.apply", {}, [*ports, f"out:examples:examples/1={work.folder}/sized"])
    matrix = pq.read_table(f"{work.folder}/sized").to_pandas().to_numpy().astype(np.float32).astype(float)
    size = np.abs(matrix).max(axis=0)
    print("     largest numbers of the features:", np.array2string(size, precision=2, max_line_width=200))
    drive(work.driver, "train.linear", {"label": "late", "l2": 1e-4},
          [*ports, f"out:model:model/1={work.folder}/sizes-model"])
    with open(f"{work.folder}/sizes-model/model.json", encoding="utf-8") as file:
        training = json.load(file)["training"]
    claim(f"features of all sizes: nothing is left to gain after {training['steps']} of 200 steps",
          training["converged"])
    intercept, weights = work.weights(f"{work.folder}/sizes-model")
    late = table.late.to_numpy(dtype=float)

    def loss(w, b):
        margin = matrix @ w + b
        return np.mean(np.logaddexp(0, margin) - late * margin) + 0.5e-4 * (w @ w)
    theirs = lm.LogisticRegression(C=1 / (1e-4 * ROWS), tol=1e-10, max_iter=200).fit(matrix, late)
    claim("features of all sizes: a loss not above scikit-learn's after as many steps",
          loss(weights[0], intercept[0]) <= loss(theirs.coef_[0], theirs.intercept_[0]) + 1e-9)
    # Newton's method with columns of size 1, each with the penalty that its weight has by itself.
    unit = np.append(1 / size, 1.0)
    rows = np.column_stack([matrix, np.ones(ROWS)]) * unit
    penalty = np.append(np.full(len(size), 1e-4), 0) * unit ** 2
    at = np.zeros(len(unit))
    for _ in range(50):
        chance = 1 / (1 + np.exp(-rows @ at))
        slope = rows.T @ (chance - late) / ROWS + penalty * at
        bend = (rows.T * (chance * (1 - chance))) @ rows / ROWS + np.diag(penalty)
        root = 1 / np.sqrt(np.diag(bend))
        at -= root * np.linalg.solve(bend * np.outer(root, root), root * slope)
    compare("features of all sizes: loss", loss(weights[0], intercept[0]),
            loss((at * unit)[:-1], at[-1]), 1e-9)
    compare("features of all sizes: scores", matrix @ weights[0] + intercept[0], rows @ at, 1e-3)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        work = Work(os.path.abspath(sys.argv[1]), folder)
        check_regression(work)
        target, sk_model = check_classes(work)
        check_scores(work, target, sk_model)
        check_sizes(work)
        params = {"label": "class", "l1": 1e-3}
        claim("the same bytes with 1 to 4 threads",
              len({digest(work.fit(params, threads)) for threads in (1, 2, 3, 4)}) == 1)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} comparisons failed: {FAILURES}")


if __name__ == "__main__":
    main()
