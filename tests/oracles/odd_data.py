#!/usr/bin/env python3
"""Odd data through transform, train and evaluate: a defined result or the sentence of the documents.

usage: odd_data.py OPERATOR_DRIVER

Every sentence in the section "Odd data" of docs/operators.md must be one that an operator says here.
Prints one line a claim; exits non-zero if one of them fails.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn.metrics import recall_score

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from transform_oracle import FAILURES, claim, compare, write_examples  # noqa: E402

ROWS = 600
NUMBER = {"wind": {"method": "number", "scale": "z_score"}}


def table_of(seed):
    random = np.random.default_rng(seed)
    table = pd.DataFrame({"wind": random.normal(10, 4, ROWS), "origin": random.choice(["EWR", "JFK"], ROWS),
                          "kind": random.choice(["a", "b", "c"], ROWS)})
    table["late"] = table.wind + 4 * (table.origin == "JFK") + random.logistic(0, 2, ROWS) > 14
    table["delay"] = table.wind * 3
    table["text"] = "hello world"
    return table


class Work:
    """Runs operators on tables and remembers what they said."""

    def __init__(self, driver, folder):
        self.driver, self.folder, self.made, self.said = driver, folder, 0, []

    def place(self):
        self.made += 1
        return f"{self.folder}/{self.made}"

    def examples(self, table):
        write_examples(where := self.place(), table)
        return f"in:examples:examples/1={where}"

    def run(self, operator, params, ports):
        done = subprocess.run([self.driver, operator, json.dumps(params), "2", "0", *ports],
                              capture_output=True, text=True, check=False)
        if done.returncode not in (0, 1):
            sys.exit(f"{operator} ended with {done.returncode}: {done.stderr}")
        answer = json.loads(done.stdout)
        self.said.append(answer["error"])
        return answer

    def train(self, kind, table, label, ports=(), **params):
        if not ports:
            params.setdefault("features", ["wind", "origin"])
        model = self.place()
        rounds = {"rounds": 5} if kind == "trees" else {}
        answer = self.run(f"train.{kind}", {"label": label, **rounds, **params},
                          [self.examples(table), f"out:model:model/1={model}", *ports])
        return model, answer

    def evaluate(self, model, table):
        place, rows = self.place(), self.place()
        answer = self.run("model.evaluate", {}, [
            f"in:model:model/1={model}", self.examples(table), f"out:evaluation:evaluation/1={place}",
            f"out:predictions:predictions/1={rows}"])
        answer["metric"] = {metric["name"]: metric["value"] for metric in answer["metrics"]
                            if not metric["slice"]}
        if answer["ok"]:
            answer["table"] = pq.read_table(rows).to_pandas()
            with open(f"{place}/evaluation.json", encoding="utf-8") as file:
                answer["text"] = file.read()
        return answer

    def fit(self, table, features, vectors=None):
        place, ports = self.place(), []
        if vectors is not None:
            os.makedirs(folder := self.place())
            with open(f"{folder}/vectors.txt", "w", encoding="utf-8") as file:
                file.write(vectors)
            ports = [f"in:vectors:files/1={folder}"]
        return place, self.run("transform.fit", {"features": features},
                               [self.examples(table), f"out:transform:transform/1={place}", *ports])

    def apply(self, transform, table):
        place = self.place()
        answer = self.run("transform.apply", {}, [self.examples(table),
                                                  f"in:transform:transform/1={transform}",
                                                  f"out:examples:examples/1={place}"])
        return pq.read_table(place).to_pandas() if answer["ok"] else None, answer


def refused(what, answer, sentence):
    claim(f"{what}: {sentence}" + ("" if answer["error"] == sentence else f" (said: {answer['error']})"),
          not answer["ok"] and answer["error"] == sentence)


def check_features(work, kind, model):
    """Columns that are not there, of another type, without values, infinite, with words never seen."""
    table = table_of(2)
    lost = {"trees": 'the examples have no column "wind", which is a feature of the model',
            "linear": 'the examples have no column "wind" (float), which has to be there'}
    refused(f"{kind}: a feature that is not in the data", work.evaluate(model, table.drop(columns="wind")),
            lost[kind])
    other = {"trees": 'column "wind" is of type string and cannot be used as numbers',
             "linear": 'feature "wind": column "wind" is of type float and the value given is no number'}
    refused(f"{kind}: a feature of another type", work.evaluate(model, table.assign(wind="x")), other[kind])
    scores = {name: work.evaluate(model, rows)["table"].score.to_numpy() for name, rows in {
        "null": table.assign(wind=pd.array([None] * ROWS, dtype="Float64")),
        "infinite": table.assign(wind=np.inf), "unseen": table.assign(origin="LGA"),
        "no word": table.assign(origin=pd.array([None] * ROWS, dtype="string"))}.items()}
    claim(f"{kind}: a column of nulls is scored", np.isfinite(scores["null"]).all()
          and len(set(scores["null"])) == 2)
    compare(f"{kind}: infinite is like missing", scores["infinite"], scores["null"], 0)
    compare(f"{kind}: a category never seen is like missing", scores["unseen"], scores["no word"], 0)
    refused(f"{kind}: no rows to score", work.evaluate(model, table[:0]),
            'no row of the examples has a label in column "late"')
    refused(f"{kind}: no label to compare with", work.evaluate(model, table.drop(columns="late")),
            'the examples have no column "late", which is the label of the model')


def check_constants(work, kind, model):
    table = table_of(2)
    one = work.evaluate(model, table.assign(late=True))
    claim(f"{kind}: one class only in evaluation has no AUC, and the other metrics",
          one["ok"] and "auc" not in one["metric"] and "log_loss" in one["metric"])
    compare(f"{kind}: its accuracy", one["metric"]["accuracy"], (one["table"].score > 0.5).mean(), 1e-12)
    refused(f"{kind}: a label with one value", work.train(kind, table.assign(late=False), "late")[1],
            'all rows have the same label in column "late": there is nothing to tell apart')
    nothing = pd.array([None] * ROWS, dtype="boolean")
    refused(f"{kind}: a label without values", work.train(kind, table.assign(late=nothing), "late")[1],
            'no row has a label in column "late"')
    refused(f"{kind}: no rows to train on", work.train(kind, table[:0], "late")[1],
            {"trees": 'no row has a label in column "late"',
             "linear": "there is no row to fit the transform on"}[kind])
    same, answer = work.train(kind, table.assign(delay=3.0), "delay", rounds=300) if kind == "trees" else \
        work.train(kind, table.assign(delay=3.0), "delay")
    claim(f"{kind}: a number that is always the same is learned", answer["ok"])
    compare(f"{kind}: and predicted", work.evaluate(same, table)["table"].score, np.full(ROWS, 3.0), 1e-4)


def check_infinite(work, kind):
    table = table_of(2)
    some = table.assign(wind=np.where(np.arange(ROWS) == 5, np.inf, table.wind))
    answer = work.train(kind, some, "late")[1]
    if kind == "trees":
        refused("trees: an infinite value", answer, 'column "wind" holds a number that is infinite or too '
                'large for 32 bits; models cannot be trained with it')
    else:
        claim("linear: an infinite value is imputed as a missing one is", answer["ok"])
    refused(f"{kind}: an infinite label", work.train(kind, table.assign(delay=some.wind), "delay")[1],
            'column "delay" holds a number that is infinite or too large for 32 bits; models cannot be '
            'trained with it')
    model = work.train(kind, table, "delay")[0]
    refused(f"{kind}: an infinite label in evaluation", work.evaluate(model, table.assign(delay=np.inf)),
            'label "delay" has an infinite value; no error can be measured against it: leave such rows out')
    empty = table.assign(wind=pd.array([None] * ROWS, dtype="Float64"))
    answer = work.train(kind, empty, "late")[1]
    if kind == "trees":
        claim("trees: a column of nulls is never asked", answer["ok"])
    else:
        refused("linear: a column of nulls", answer, 'feature "wind" has no value in any row: there is '
                'nothing to impute from; leave it out or use impute = "constant"')


def check_classes(work, kind):
    table = table_of(2)
    model = work.train(kind, table, "kind")[0]
    odd = table.assign(kind=np.where(np.arange(ROWS) < 50, "z", table.kind))
    answer = work.evaluate(model, odd)
    claim(f"{kind}: rows of a class never seen are left out and counted",
          answer["metric"]["rows"] == ROWS - 50 and '"rows_of_unknown_class":50' in answer["text"])
    refused(f"{kind}: no class that is known", work.evaluate(model, table.assign(kind="z")),
            'no row of the examples has a class that the model knows in column "kind"')
    answer = work.evaluate(model, table[table.kind != "c"])
    guess = answer["table"][[f"score.{word}" for word in "abc"]].to_numpy().argmax(axis=1)
    truth = table[table.kind != "c"].kind.map({"a": 0, "b": 1}).to_numpy()
    compare(f"{kind}: a class without rows takes no part in balanced accuracy", answer["metric"]["balanced_accuracy"],
            recall_score(truth, guess, labels=[0, 1], average="macro", zero_division=0), 1e-9)
    named = {metric["name"] for metric in answer["metrics"]}
    claim(f"{kind}: and has no recall", "recall.a" in named and "recall.c" not in named)


def check_many(work, kind):
    words = [f"w{at:05d}" for at in range(10000)]
    random = np.random.default_rng(3)
    table = pd.DataFrame({"word": words * 2, "x": random.normal(0, 1, 20000)})
    table["late"] = table.x > 0
    model, answer = work.train(kind, table, "late", features=["word", "x"])
    claim(f"{kind}: 10,000 categories are learned", answer["ok"])
    claim(f"{kind}: and scored", work.evaluate(model, table)["metric"]["auc"] > 0.95)


def check_transform(work):
    table = table_of(2)
    transform = work.fit(table, NUMBER)[0]
    refused("a transform's column that is not there", work.apply(transform, table.drop(columns="wind"))[1],
            'the examples have no column "wind" (float), which has to be there')
    rows = work.apply(transform, table[:0])[0]
    claim("no rows to apply to: a table without rows", list(rows.columns) == ["wind"] and len(rows) == 0)
    refused("no rows to fit on", work.fit(table[:0], NUMBER)[1], "there is no row to fit the transform on")
    some = table.assign(wind=np.where(np.arange(ROWS) == 5, np.inf, table.wind))
    fitted = work.fit(some, NUMBER)[0]
    rows = work.apply(fitted, some)[0].wind
    rest = table.wind.drop(5)
    compare("an infinite value is missing and takes no part in mean and deviation", rows.drop(5),
            (rest - rest.mean()) / rest.std(ddof=0), 1e-9)
    claim("and stays missing", bool(np.isnan(rows[5])))
    nothing = table.assign(wind=pd.array([None] * ROWS, dtype="Float64"))
    for scale in ("z_score", "min_max", "robust"):
        empty = work.fit(nothing, {"wind": {"method": "number", "scale": scale}})[0]
        claim(f"a column of nulls under {scale} is missing", work.apply(empty, nothing)[0].wind.isna().all())
    same = work.fit(table.assign(wind=5.0), NUMBER)[0]
    compare("a column that is always the same becomes 0", work.apply(same, table.assign(wind=5.0))[0].wind,
            np.zeros(ROWS), 0)
    many = pd.DataFrame({"word": [f"w{at:05d}" for at in range(10000)]})
    refused("10,000 categories as columns, unasked", work.fit(many, {"word": {"method": "one_hot"}})[1],
            'feature "word" has 10000 categories and would make as many columns; say how many with top_k, '
            'or use hashed or vocabulary')
    wide = work.fit(many, {"word": {"method": "one_hot", "top_k": 20000}})[0]
    claim("10,000 categories as columns, asked for", work.apply(wide, many[:9])[0].to_numpy().sum() == 9)
    for what, text, sentence in (
            ("a vector of another width", "hello 1 2 3\nworld 1 2\n",
             "cannot read word vectors: line 2 has 2 numbers; the first word has 3"),
            ("vectors of another width than the file says", "2 3\nhello 1 2\nworld 1 2\n",
             "cannot read word vectors: line 2 has 2 numbers; line 1 promises 3"),
            ("a vector that is none", "hello 1 nan\n",
             'cannot read word vectors: line 1 has "nan", which is no number'),
            ("a file without vectors", "", "cannot read word vectors: the file has no word")):
        refused(what, work.fit(table, {"text": {"method": "vectors"}}, text)[1], sentence)


def check_not_a_number(work):
    """A transform that imputes nothing: rows without the value get no number as their score."""
    table = table_of(2)
    transform = f"in:transform:transform/1={work.fit(table, NUMBER)[0]}"
    holes = table.assign(wind=table.wind.where(np.arange(ROWS) >= 50))
    refused("linear: training rows without a number", work.train("linear", holes, "late", [transform])[1],
            'feature "wind" has no number in some row, and a weighted sum needs one: let the transform '
            'impute it, or give missing values a column')
    model = work.train("linear", table, "late", [transform])[0]
    answer = work.evaluate(model, holes)
    claim("linear: scores that are not-a-number are left out and counted",
          answer["metric"]["rows"] == ROWS - 50 and '"rows_without_score":50' in answer["text"])
    claim("linear: and kept in the predictions", answer["table"].score.isna().sum() == 50)
    refused("linear: no score at all", work.evaluate(model, table.assign(wind=np.nan)),
            "no row of the examples got a number as its score")


def check_document(work):
    with open(os.path.join(HERE, "..", "..", "docs", "operators.md"), encoding="utf-8") as file:
        section = file.read().split("\n## Odd data\n")[1].split("\n## ")[0]
    sentences = [text for text in re.findall(r"`([^`]+)`", section) if " " in text]
    claim(f"the document has {len(sentences)} sentences", len(sentences) > 12)
    for sentence in sentences:
        claim(f"documented and said: {sentence}", sentence in work.said)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        work = Work(os.path.abspath(sys.argv[1]), folder)
        for kind in ("trees", "linear"):
            model = work.train(kind, table_of(1), "late")[0]
            check_features(work, kind, model)
            check_constants(work, kind, model)
            check_infinite(work, kind)
            check_classes(work, kind)
            check_many(work, kind)
        check_not_a_number(work)
        check_transform(work)
        check_document(work)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} claims failed: {FAILURES}")


if __name__ == "__main__":
    main()
