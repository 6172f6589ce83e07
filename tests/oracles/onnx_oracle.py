#!/usr/bin/env python3
"""Models of scikit-learn in the ONNX format: scored here as scikit-learn scores them.

usage: onnx_oracle.py OPERATOR_DRIVER

Yes or no, classes and numbers, with and without a transform (1e-6).
Prints one line a comparison; exits non-zero if one fails.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neural_network import MLPClassifier

try:
    from skl2onnx import to_onnx
except ImportError as missing:
    print(f"not possible here: {missing}; tools/bootstrap --tests brings it")
    sys.exit(77)

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from transform_oracle import FAILURES, claim, compare, drive, write_examples  # noqa: E402

NAMES = ["wind", "hour", "distance"]


def table_of(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"wind": random.normal(10, 4, 3000).astype("float32").astype(float),
                          "hour": random.integers(0, 24, 3000),
                          "distance": random.uniform(0, 5, 3000).astype("float32").astype(float)})
    signal = table.wind + table.hour / 4 + random.logistic(0, 2, 3000)
    table["late"] = signal > 14
    table["kind"] = pd.cut(signal, [-99, 10, 16, 99], labels=["a", "b", "c"]).astype(str)
    table["delay"] = signal * 3
    return table


def predictions(driver, work, name, rows):
    """Scores by model.evaluate, which scores blocks of rows."""
    drive(driver, "model.evaluate", {},
          [f"in:model:model/1={work}/{name}", f"in:examples:examples/1={rows}",
           f"out:evaluation:evaluation/1={work}/{name}-evaluation",
           f"out:predictions:predictions/1={work}/{name}-rows"])
    table = pq.read_table(f"{work}/{name}-rows").to_pandas()
    scores = [column for column in table.columns if column.startswith("score")]
    return table[scores].to_numpy().squeeze()


def asked(estimator, matrix):
    if not hasattr(estimator, "predict_proba"):
        return estimator.predict(matrix).squeeze()
    answer = estimator.predict_proba(matrix)
    return answer[:, 1] if answer.shape[1] == 2 else answer


def export(estimator, matrix, work, name, zipmap=False):
    classifier = hasattr(estimator, "predict_proba")
    options = {id(estimator): {"zipmap": zipmap}} if classifier else None
    raw = to_onnx(estimator, matrix[:1], options=options).SerializeToString()
    os.makedirs(f"{work}/{name}-file")
    with open(f"{work}/{name}-file/model.onnx", "wb") as file:
        file.write(raw)


def check(driver, work, name, estimator, label, params):
    train, test = table_of(1), table_of(2)
    matrix, other = (table[NAMES].to_numpy("float32") for table in (train, test))
    export(estimator.fit(matrix, train[label]), matrix, work, name)
    drive(driver, "train.onnx", {"label": label, "features": NAMES, **params},
          [f"in:model:files/1={work}/{name}-file", f"out:model:model/1={work}/{name}"])
    compare(f"{name}: scores of a table", predictions(driver, work, name, f"{work}/test"),
            asked(estimator, other), 1e-6)


def check_transform(driver, work):
    train, test = table_of(1), table_of(2)
    drive(driver, "transform.fit",
          {"features": {name: {"method": "number", "scale": "z_score"} for name in NAMES}},
          [f"in:examples:examples/1={work}/train", f"out:transform:transform/1={work}/transform"])
    with open(f"{work}/transform/transform.json", encoding="utf-8") as file:
        order = [output["name"] for output in json.load(file)["outputs"]]
    claim("behind a transform: its outputs are the features", sorted(order) == sorted(NAMES))
    scaled = [((table[order] - train[order].mean()) / train[order].std(ddof=0)).to_numpy("float32")
              for table in (train, test)]
    estimator = LogisticRegression().fit(scaled[0], train.late)
    export(estimator, scaled[0], work, "scaled")
    drive(driver, "train.onnx", {"label": "late"},
          [f"in:model:files/1={work}/scaled-file", f"in:transform:transform/1={work}/transform",
           f"out:model:model/1={work}/scaled"])
    compare("behind a transform: scores", predictions(driver, work, "scaled", f"{work}/test"),
            asked(estimator, scaled[1]), 1e-5)


def refused(driver, work, name, params, words):
    command = [driver, "train.onnx", json.dumps({"label": "late", **params}), "1", "0",
               f"in:model:files/1={work}/{name}-file", f"out:model:model/1={work}/refused"]
    answer = json.loads(subprocess.run(command, capture_output=True, text=True, check=False).stdout)
    claim(f"refused: {words}" + ("" if words in answer["error"] else f" ({answer['error']})"),
          not answer["ok"] and words in answer["error"])


def check_without(driver, work):
    """The driver where no lib stands beside its folder: a sentence and no model."""
    os.makedirs(f"{work}/elsewhere/bin")
    alone = shutil.copy(driver, f"{work}/elsewhere/bin/operator_driver")
    refused(alone, work, "logistic", {"features": NAMES}, "load ONNX Runtime: ")
    refused(alone, work, "logistic", {"features": NAMES}, "run the bootstrap with --onnx")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    driver = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        for name, seed in (("train", 1), ("test", 2)):
            write_examples(f"{work}/{name}", table_of(seed))
        check(driver, work, "logistic", LogisticRegression(), "late", {})
        check(driver, work, "forest", RandomForestClassifier(20, max_depth=6, random_state=0), "late", {})
        check(driver, work, "network", MLPClassifier((8,), max_iter=400, tol=1e-3, random_state=0), "kind",
              {"objective": "multi:softprob", "classes": ["a", "b", "c"]})
        check(driver, work, "ridge", Ridge(), "delay", {"objective": "reg:squarederror"})
        check_transform(driver, work)
        train = table_of(1)
        matrix = train[NAMES].to_numpy("float32")
        export(LogisticRegression().fit(matrix, train.late), matrix, work, "zip", zipmap=True)
        refused(driver, work, "zip", {"features": NAMES}, "exported with zipmap = False")
        refused(driver, work, "ridge", {"features": NAMES[:2]}, "no output has 1 score a row for 2 features")
        check_without(driver, work)
        refused(driver, work, "logistic", {}, 'parameter "features" is missing')
        with open(f"{work}/zip-file/model.onnx", "wb") as file:
            file.write(b"no model")
        refused(driver, work, "zip", {"features": NAMES}, "cannot use the ONNX model: ")
    if FAILURES:
        sys.exit(f"{len(FAILURES)} comparisons failed")


if __name__ == "__main__":
    main()
