#!/usr/bin/env python3
"""Compares what steers train.trees with XGBoost's own Python package.

usage: trees_oracle.py OPERATOR_DRIVER

Early stopping, monotone constraints, balanced classes and going on from an earlier model: the same
trees, told by their scores (1e-6) and their number.  Prints one line a comparison.
"""
import os
import sys
import tempfile

import pyarrow.parquet as pq
import xgboost
from sklearn.metrics import roc_auc_score
from sklearn.utils.class_weight import compute_sample_weight

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import model_oracle as base  # noqa: E402


def rows_of(folder):
    table = pq.read_table(folder).to_pandas()
    return table[table.label.notna()]


def matrix_of(folder, signature):
    rows = rows_of(folder)
    return base.matrix(base.encoded(rows, signature), signature, rows.label.to_numpy(dtype="float32"))


def train(driver, work, name, params, more=(), validation=False):
    target = f"{work}/{name}"
    ports = [f"in:examples:examples/1={work}/train", f"out:model:model/1={target}", *more]
    if validation:
        ports.append(f"in:validation:examples/1={work}/valid")
    base.drive(driver, "train.trees", {"label": "label", **params}, ports)
    return base.load(target)


def check_pages(driver, work):
    """Trees from pages: AUC beside XGBoost's on the same rows, and a file that XGBoost reads."""
    test = rows_of(f"{work}/test")
    model, ours = train(driver, work, "pages", {"rounds": 40, "method": "pages", "exclude": ["dest"]})
    signature = model["signature"]
    grown = xgboost.train(model["training"]["parameters"], matrix_of(f"{work}/train", signature), 40)
    scores = [one.predict(matrix_of(f"{work}/test", signature)) for one in (ours, grown)]
    areas = [roc_auc_score(test.label.to_numpy(dtype=bool), score) for score in scores]
    base.compare("from pages: area under the curve", areas[0], areas[1], 0.005)
    base.claim("from pages: the rounds add up", ours.num_boosted_rounds() == 40)
    evaluation = f"{work}/pages-evaluation"
    base.drive(driver, "model.evaluate", {},
               [f"in:model:model/1={work}/pages", f"in:examples:examples/1={work}/test",
                f"out:evaluation:evaluation/1={evaluation}",
                f"out:predictions:predictions/1={evaluation}-rows"])
    told = pq.read_table(f"{evaluation}-rows").to_pandas()
    told = told[told.label.notna()]
    base.compare("from pages: scores, trees loaded by Python", told.score.to_numpy(), scores[0], 1e-6)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    driver = os.path.abspath(sys.argv[1])
    with tempfile.TemporaryDirectory() as work:
        for name, seed in (("train", 1), ("valid", 2), ("test", 3)):
            base.write_examples(f"{work}/{name}", base.labelled("binary", 5000, seed))

        def same(what, ours, grown, signature, limit=None):
            test = matrix_of(f"{work}/test", signature)
            theirs = grown.predict(test, iteration_range=(0, limit or grown.num_boosted_rounds()))
            base.compare(what, ours.predict(test), theirs, 1e-6)

        model, ours = train(driver, work, "early", {"rounds": 300, "max_depth": 6, "learning_rate": 0.4,
                                                    "early_stopping": 7}, validation=True)
        signature, record = model["signature"], model["training"]
        training = matrix_of(f"{work}/train", signature)
        grown = xgboost.train(record["parameters"], training, 300, early_stopping_rounds=7,
                              evals=[(matrix_of(f"{work}/valid", signature), "v")], verbose_eval=False)
        base.claim("early stopping: the same best round",
                   record["rounds"] == grown.best_iteration + 1 == ours.num_boosted_rounds() < 300)
        same("early stopping: scores", ours, grown, signature, grown.best_iteration + 1)

        model, ours = train(driver, work, "monotone", {"rounds": 40, "monotone": {"wind": -1}})
        grown = xgboost.train(model["training"]["parameters"], training, 40)
        same("monotone constraints: scores", ours, grown, signature)

        model, ours = train(driver, work, "balanced", {"rounds": 40, "class_weights": "balanced"})
        weighted = matrix_of(f"{work}/train", signature)
        weighted.set_weight(compute_sample_weight("balanced", weighted.get_label()))
        same("balanced classes: scores", ours,
             xgboost.train(model["training"]["parameters"], weighted, 40), signature)

        train(driver, work, "first", {"rounds": 15})
        model, ours = train(driver, work, "second", {"rounds": 10},
                            more=[f"in:base:model/1={work}/first"])
        first = xgboost.train(model["training"]["parameters"], training, 15)
        grown = xgboost.train(model["training"]["parameters"], training, 10, xgb_model=first)
        base.claim("going on: the rounds add up", ours.num_boosted_rounds() == 25)
        same("going on: scores", ours, grown, signature)

        check_pages(driver, work)
    if base.FAILURES:
        sys.exit(f"{len(base.FAILURES)} comparisons failed")


if __name__ == "__main__":
    main()
