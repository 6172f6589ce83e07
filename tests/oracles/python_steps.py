#!/usr/bin/env python3
"""Steps in Python: a model that scikit-learn trained is scored here as scikit-learn scores it.

usage: python_steps.py OPERATOR_DRIVER

Starts scripts as python.call does, with the package of operators/python.  Prints one line a claim;
exits non-zero if one of them fails.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.linear_model import LogisticRegression

HERE = os.path.dirname(os.path.abspath(__file__))
PACKAGE = os.path.join(HERE, "..", "..", "operators", "python")
sys.path.insert(0, HERE)
from transform_oracle import FAILURES, claim, compare, digest, drive, write_examples  # noqa: E402


def start(script, *words):
    environment = dict(os.environ, PYTHONPATH=os.path.abspath(PACKAGE))
    done = subprocess.run([sys.executable, script, *words], env=environment, capture_output=True,
                          text=True, check=False)
    return done.returncode, done.stderr


def table_of(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"wind": random.normal(10, 4, 3000),
                          "origin": random.choice(["EWR", "JFK"], 3000)})
    table["late"] = table.wind + 4 * (table.origin == "JFK") + random.logistic(0, 2, 3000) > 14
    return table


def check_training(driver, work):
    for name, seed in (("train", 1), ("test", 2)):
        write_examples(f"{work}/{name}", table_of(seed))
    drive(driver, "transform.fit",
          {"features": {"wind": {"method": "number", "scale": "z_score"}, "origin": {"method": "one_hot"}}},
          [f"in:examples:examples/1={work}/train", f"out:transform:transform/1={work}/transform"])
    for name in ("train", "test"):
        drive(driver, "transform.apply", {"keep": ["late"]},
              [f"in:examples:examples/1={work}/{name}", f"in:transform:transform/1={work}/transform",
               f"out:examples:examples/1={work}/{name}-numbers"])
    script = os.path.join(PACKAGE, "examples", "train_sklearn.py")
    words = [f"rows={work}/train-numbers", f"transform={work}/transform", 'label:="late"',
             "strength:=0.5"]
    code, said = start(script, *words, f"model>{work}/model")
    claim(f"the training ends well {said}", code == 0)
    start(script, *words, f"model>{work}/again")
    claim("the same inputs give the same bytes", digest(f"{work}/model") == digest(f"{work}/again"))
    drive(driver, "model.evaluate", {},
          [f"in:model:model/1={work}/model", f"in:examples:examples/1={work}/test",
           f"out:evaluation:evaluation/1={work}/evaluation",
           f"out:predictions:predictions/1={work}/predictions"])
    names = ["origin=EWR", "origin=JFK", "wind"]
    train, test = (pq.read_table(f"{work}/{name}-numbers").to_pandas() for name in ("train", "test"))
    model = LogisticRegression(C=0.5, max_iter=5000, tol=1e-10).fit(train[names], train.late)
    compare("scores of raw rows are scikit-learn's", pq.read_table(f"{work}/predictions").to_pandas().score,
            model.predict_proba(test[names])[:, 1], 1e-6)
    write_examples(f"{work}/one", train.assign(late=True))
    code, said = start(script, f"rows={work}/one", *words[1:], f"model>{work}/none")
    claim("one class only halts with a sentence", code == 65 and "nothing to learn" in said)


SCRIPT = """
from pipelined_step import Retry, step
import pyarrow as pa
@step
def main(rows, out, shape="plain"):
    if shape == "later":
        raise Retry("the other side is not there")
    table = rows.table()
    if shape == "lists":
        table = table.append_column("bad", pa.array([[1]] * table.num_rows))
    out.table("clean", table.append_column("small", pa.array([1] * table.num_rows, pa.int8())))
"""


def check_tables(work):
    script = f"{work}/script.py"
    with open(script, "w", encoding="utf-8") as file:
        file.write(SCRIPT)
    rows = table_of(3)
    write_examples(f"{work}/a", rows[:1000])
    write_examples(f"{work}/b", rows[1000:])
    code, said = start(script, "rows=", f"{work}/a", f"{work}/b", f"clean>{work}/clean")
    made = pq.read_table(f"{work}/clean")
    claim(f"several artifacts are one table {said}", code == 0 and made.num_rows == len(rows))
    claim("types are those of examples", made.schema.field("small").type == pa.int64())
    code, said = start(script, f"rows={work}/a", f"clean>{work}/lists", 'shape:="lists"')
    claim("a list is refused by name", code == 1 and "column bad is of type list" in said)
    code, said = start(script, f"rows={work}/a", f"clean>{work}/x", 'shape:="later"')
    claim("what may work later says so", code == 75 and "not there" in said)
    code, said = start(script, f"row={work}/a", f"clean>{work}/y")
    claim("an input of another name is named", code == 1 and "takes 'rows'" in said)
    code, said = start(script, f"rows={work}/a", f"dirty>{work}/z")
    claim("an output that is not declared is named", code == 1 and "no output clean" in said)
    code, said = start(script, f"rows={work}/a", f"more={work}/b", f"clean>{work}/z")
    claim("an input that nobody takes is named", code == 1 and "gives 'more'" in said)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as work:
        check_training(os.path.abspath(sys.argv[1]), work)
        check_tables(work)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} claims failed: {FAILURES}")


if __name__ == "__main__":
    main()
