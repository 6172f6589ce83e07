#!/usr/bin/env python3
"""Looks at the pages of tune.search in a browser: conditional parameters, rungs with failures, one trial, many.

usage: tuning_pages.py TUNE_DRIVER [KEEP_FOLDER]

Exits with 77 where there is no Chromium.
"""
import math
import os
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracles"))
import page  # noqa: E402
import tune_oracle  # noqa: E402

SPACE = {
    "learning_rate": {"range": [0.001, 1.0], "log": True},
    "max_depth": {"integers": [2, 12]},
    "penalty": {"choices": ["none", "l1", "both of them, which is a long name"]},
    "strength": {"range": [0.0, 1.0], "when": {"penalty": ["l1"]}},
}
SEARCHES = {
    "tpe": ({"strategy": "tpe", "generated_max": 60, "parallel": 3, "slice": "origin=JFK"}, 60),
    "asha": ({"strategy": "asha", "generated_max": 50, "parallel": 5, "goal": "minimise",
              "resource": {"name": "rounds", "min": 10, "max": 270}}, 50),
    "one": ({"strategy": "random", "generated_max": 1}, 1),
    "many": ({"strategy": "random", "generated_max": 230, "parallel": 100}, 230),
}


def metric(values, place):
    if place % 9 == 4:
        return None
    worth = -(math.log10(values["learning_rate"]) + 1) ** 2 / 20 - (values["max_depth"] - 6) ** 2 / 200
    return 0.8 + worth + 0.0003 * values.get("rounds", 0)


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if page.BROWSER is None:
        print("not possible here: there is no Chromium")
        return 77
    driver = tune_oracle.Driver(sys.argv[1])
    wrong = []
    with tempfile.TemporaryDirectory() as work:
        for name, (params, trials) in SEARCHES.items():
            params = {**params, "space": SPACE, "metric": "auc"}
            history = []
            while named := driver.ask(ask="next", params=params, seed=3, history=history)["elements"]:
                history += [{"values": v, "metric": metric(v, len(history) + i)} for i, v in enumerate(named)]
            text = driver.ask(ask="page", params=params, seed=3, history=history)["page"]
            path = os.path.join(sys.argv[2] if len(sys.argv) == 3 else work, f"{name}.html")
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
            seen = page.look(path, (1100, 700))
            measured = [h["values"] for h in history if h["metric"] is not None]
            drawings = 1 + sum(any(entry in values for values in measured) for entry in SPACE)
            if len(history) != trials or seen["drawings"] != drawings or os.path.getsize(path) > 500_000:
                seen["wrong"].append(f"{len(history)} trials, {seen['drawings']} drawings")
            wrong += [f"{name}: {what}" for what in seen["wrong"]]
    print("\n".join(wrong) or "ok")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
