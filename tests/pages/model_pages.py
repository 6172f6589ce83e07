#!/usr/bin/env python3
"""Looks at the pages of model.report in a browser: of a yes-or-no label, of classes, of values.

usage: model_pages.py OPERATOR_DRIVER

Exits with 77 where there is no Chromium.
"""
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracles"))
import model_oracle  # noqa: E402
import page  # noqa: E402

METRICS = {"binary": "auc", "classes": "accuracy", "values": "rmse"}


def report(driver, work, kind):
    """The page of a model with a baseline, slices, groups and an explanation."""
    os.makedirs(work)
    model_oracle.write_examples(f"{work}/train", model_oracle.labelled(kind, 3000, 1))
    model_oracle.write_examples(f"{work}/test", model_oracle.labelled(kind, 1500, 2, unknown=True))
    model, half = (model_oracle.train(driver, work, kind, {"label": "label", "rounds": rounds}, name=name)
                   for name, rounds in (("model", 30), ("half", 8)))
    examples = f"in:examples:examples/1={work}/test"
    metric = METRICS[kind]
    model_oracle.drive(driver, "model.evaluate", {
        "slices": ["distance", ["origin", "holiday"]], "buckets": {"distance": 4}, "fairness": ["origin"],
        "bootstraps": 40, "require": [{"metric": metric, "slice": "*", "min": 0.6, "gain": 0.01}]},
        [f"in:model:model/1={model}", f"in:baseline:model/1={half}", examples,
         f"out:evaluation:evaluation/1={work}/evaluation"])
    model_oracle.drive(driver, "model.explain", {"rows": 300, "repeats": 3},
                       [f"in:model:model/1={model}", examples,
                        f"out:explanation:explanation/1={work}/explanation"])
    model_oracle.drive(driver, "model.report", {"title": "Late flights"},
                       [f"in:evaluation:evaluation/1={work}/evaluation",
                        f"in:explanation:explanation/1={work}/explanation",
                        f"out:report:report/1={work}/report"])
    return f"{work}/report/report.html"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    if page.BROWSER is None:
        print("not possible here: there is no Chromium")
        return 77
    wrong = []
    with tempfile.TemporaryDirectory() as work:
        for kind in METRICS:
            path = report(os.path.abspath(sys.argv[1]), f"{work}/{kind}", kind)
            seen = page.look(path, (1100, 700))
            if os.path.getsize(path) > 2_000_000 or seen["drawings"] < 4:
                seen["wrong"].append(f"{os.path.getsize(path)} bytes, {seen['drawings']} drawings")
            wrong += [f"{kind}: {what}" for what in seen["wrong"]]
    print("\n".join(wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
