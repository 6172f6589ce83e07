#!/usr/bin/env python3
"""A model that pipectl exports is loaded and scored by MLflow itself.

usage: mlflow_oracle.py OPERATOR_DRIVER PIPECTL

Trees with words, flags, gaps and classes, and weights behind a transform with dates: MLflow's scores of a pandas
table are those of model.evaluate, bit for bit, and the trees' those of XGBoost's package within 1e-6.  What is wrong
with rows is said.  Prints one line a claim; exits non-zero if one of them fails.
"""
import json
import logging
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost

try:
    import mlflow
    from skl2onnx import to_onnx
    from sklearn.ensemble import RandomForestClassifier
except ImportError:
    print("not possible here: mlflow-skinny or skl2onnx is not installed")
    sys.exit(77)

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from transform_oracle import FAILURES, claim, compare, drive  # noqa: E402

SCHEMA = pa.schema([("origin", pa.string()), ("hour", pa.int64()), ("wind", pa.float64()),
                    ("rain", pa.bool_()), ("day", pa.date32()), ("at", pa.timestamp("us", tz="UTC")),
                    ("late", pa.bool_()), ("kind", pa.string())])


def flights(rows, seed):
    random = np.random.default_rng(seed)
    gaps = lambda values, share: [None if gone else value for value, gone in zip(values, random.random(rows) < share)]
    hour, wind = random.integers(0, 24, rows), random.normal(10, 4, rows)
    origin = random.choice(["EWR", "JFK", "Zürich"], rows)
    late = hour / 24 + wind / 20 + (origin == "JFK") + random.logistic(0, 0.3, rows) > 1.5
    moments = pd.Timestamp("2013-01-01", tz="UTC") + pd.to_timedelta(random.integers(0, 31_000_000, rows), "s")
    return {"origin": gaps(origin.tolist(), 0.1), "hour": gaps(hour.tolist(), 0.1), "wind": gaps(wind.tolist(), 0.1),
            "rain": gaps((random.random(rows) < 0.3).tolist(), 0.1), "day": [one.date() for one in moments],
            "at": list(moments.to_pydatetime()), "late": late.tolist(),
            "kind": np.where(late, np.where(wind > 12, "storm", "crowd"), "none").tolist()}


def write(folder, rows):
    os.makedirs(folder)
    pq.write_table(pa.table(rows, schema=SCHEMA), f"{folder}/part-00000.parquet")


def pandas_of(rows):
    """As people have it: objects where something is missing."""
    return pd.DataFrame({name: pd.Series(values, dtype=object if name in ("hour", "rain", "origin") else None)
                         for name, values in rows.items()})


def export(pipectl, folder, to):
    done = subprocess.run([pipectl, "model", "export", folder, "--to", to], capture_output=True, text=True, check=False)
    claim(f"the export of {os.path.basename(to)} says where it is",
          done.returncode == 0 and to in done.stderr)
    return mlflow.pyfunc.load_model(to)


def evaluated(driver, model, test, to):
    drive(driver, "model.evaluate", {},
          [f"in:model:model/1={model}", f"in:examples:examples/1={test}",
           f"out:evaluation:evaluation/1={to}-evaluation", f"out:predictions:predictions/1={to}"])
    return pq.read_table(to).to_pandas()


def check_trees(driver, pipectl, work, rows):
    drive(driver, "train.trees", {"label": "late", "rounds": 40, "exclude": ["day", "at", "kind"],
                                  "optional": ["wind"], "closed": ["origin"]},
          [f"in:examples:examples/1={work}/train", f"out:model:model/1={work}/trees", f"out:log:report/1={work}/log1"])
    loaded = export(pipectl, f"{work}/trees", f"{work}/trees-mlflow")
    table = pandas_of(rows)
    scores = loaded.predict(table)
    ours = evaluated(driver, f"{work}/trees", f"{work}/test", f"{work}/predicted1")
    claim("one column, of the label's name", list(scores.columns) == ["late"])
    claim("trees: MLflow scores as model.evaluate, bit for bit",
          np.array_equal(scores.late.to_numpy(), ours.score.to_numpy(dtype=np.float32)))
    signature = json.load(open(f"{work}/trees/model.json"))["signature"]
    columns = []
    for feature in signature:
        values = table[feature["name"]]
        codes = {word: code for code, word in enumerate(feature.get("categories", []))}
        columns.append([np.nan if pd.isna(one) else codes[one] if codes else float(one) for one in values])
    booster = xgboost.Booster(model_file=f"{work}/trees/trees.ubj")
    matrix = xgboost.DMatrix(np.array(columns).T, feature_types=["c" if "categories" in one else "q" for one in signature],
                             enable_categorical=True)
    booster.feature_names = booster.feature_types = None
    compare("trees: MLflow scores as XGBoost's package", scores.late, booster.predict(matrix, validate_features=False), 1e-6)
    without = loaded.predict(table.drop(columns="wind"))
    compare("an optional column that is left out is missing", without.late,
            loaded.predict(table.assign(wind=np.nan)).late, 0)

    def refused(changed):
        try:
            loaded.predict(changed)
        except Exception as error:  # MLflow wraps nothing of ours
            return str(error)
        return "nothing"
    claim("a column that is needed is named", 'no column "hour" (int)' in refused(table.drop(columns="hour")))
    unseen = table.copy()
    unseen.loc[4, "origin"] = "LGA"
    claim("a closed input refuses by row and column", refused(unseen).startswith('row 5: input "origin" must be one of'))
    claim("half an hour is no whole number", "no whole number" in refused(table.assign(hour=1.5)))
    claim("a number is no text", "no text" in refused(table.assign(origin=3)))
    claim("no row has no score", len(loaded.predict(table.iloc[:0])) == 0)
    again = subprocess.run([pipectl, "model", "export", f"{work}/trees", "--to", f"{work}/trees-mlflow"],
                           capture_output=True, text=True, check=False)
    claim("a folder that is there is left alone", again.returncode != 0 and "is there already" in again.stderr)


def check_weights(driver, pipectl, work, rows):
    drive(driver, "train.linear", {"label": "kind", "exclude": ["late"]},
          [f"in:examples:examples/1={work}/train", f"out:model:model/1={work}/linear", f"out:log:report/1={work}/log2"])
    loaded = export(pipectl, f"{work}/linear", f"{work}/linear-mlflow")
    scores = loaded.predict(pandas_of(rows))
    ours = evaluated(driver, f"{work}/linear", f"{work}/test", f"{work}/predicted2")
    claim("a column a class", list(scores.columns) == ["crowd", "none", "storm"])
    theirs = ours[[name for name in ours.columns if name.startswith("score")]].to_numpy(dtype=np.float32)
    claim("weights behind a transform: MLflow scores as model.evaluate, bit for bit",
          theirs.shape == scores.shape and np.array_equal(scores.to_numpy(), theirs))
    compare("probabilities add up to one", scores.sum(axis=1), np.ones(len(scores)), 1e-6)


def check_onnx(driver, pipectl, work):
    """A forest of scikit-learn in the ONNX format; `whole` rows, since scikit-learn takes no gaps."""
    names = ["wind", "hour"]
    frames = {}
    for name, seed in (("onnx-train", 3), ("onnx-test", 4)):
        rows = flights(800, seed)
        rows["wind"] = np.random.default_rng(seed).normal(10, 4, 800).astype("float32").astype(float).tolist()
        rows["hour"] = np.random.default_rng(seed).integers(0, 24, 800).tolist()
        write(f"{work}/{name}", rows)
        frames[name] = pd.DataFrame({column: rows[column] for column in [*names, "late"]})
    train, test = frames["onnx-train"], frames["onnx-test"]
    forest = RandomForestClassifier(20, max_depth=6, random_state=1).fit(train[names].to_numpy("float32"), train.late)
    os.makedirs(f"{work}/forest-file")
    with open(f"{work}/forest-file/model.onnx", "wb") as file:
        file.write(to_onnx(forest, train[names].to_numpy("float32")[:1],
                           options={id(forest): {"zipmap": False}}).SerializeToString())
    drive(driver, "train.onnx", {"label": "late", "features": names},
          [f"in:model:files/1={work}/forest-file", f"out:model:model/1={work}/forest"])
    loaded = export(pipectl, f"{work}/forest", f"{work}/forest-mlflow")
    scores = loaded.predict(test[names]).late.to_numpy()
    ours = evaluated(driver, f"{work}/forest", f"{work}/onnx-test", f"{work}/predicted3")
    claim("ONNX: MLflow scores as model.evaluate, bit for bit",
          np.array_equal(scores, ours.score.to_numpy(dtype=np.float32)))
    compare("ONNX: MLflow scores as scikit-learn", scores, forest.predict_proba(test[names].to_numpy("float32"))[:, 1], 1e-6)


def main(driver, pipectl):
    logging.getLogger("mlflow").setLevel(logging.ERROR)
    with tempfile.TemporaryDirectory() as work:
        write(f"{work}/train", flights(3000, 1))
        rows = flights(500, 2)
        write(f"{work}/test", rows)
        check_trees(driver, pipectl, work, rows)
        check_weights(driver, pipectl, work, rows)
        check_onnx(driver, pipectl, work)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} failed: {FAILURES}")


if __name__ == "__main__":
    main(*sys.argv[1:])
