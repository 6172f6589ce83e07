#!/usr/bin/env python3
"""A search of tune.search through the real daemon, killed with SIGKILL again and again in its middle.

usage: search.py --build BUILD [--kills N] [--seed N]

The same search runs once undisturbed.  Killed, it must come to the same trials, the same ranks and the same final
model, byte for byte, and no trial that had succeeded may be trained again.
"""
import argparse
import os
import random
import shutil
import signal
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tools")]
from injured import Injured  # noqa: E402
from product import Product, wait_for  # noqa: E402

PIPELINE = """name = "late"
[source.flights]
path = "incoming/{SPAN}.csv"
settle = "0s"
[step.ingest]
operator = "ingest.files"
in.files = { source = "flights" }
[step.split]
operator = "data.split"
in.examples = "ingest"
params.shares = { train = 6, tuning = 2 }
[step.search]
operator = "tune.search"
in.results = { results = "score.evaluation" }
generates = { max = 8, values = { max_depth = 6, learning_rate = 0.1 } }
params.metric = "auc"
params.startup = 4
params.parallel = 2
params.space.max_depth = { integers = [2, 7] }
params.space.learning_rate = { range = [0.01, 0.5], log = true }
[step.trial]
foreach = "search"
operator = "train.trees"
in.examples = "split.train"
params = { label = "late", rounds = 120, max_depth = "${each.max_depth}", learning_rate = "${each.learning_rate}" }
[step.score]
foreach = "trial"
operator = "model.evaluate"
in.model = "trial.model"
in.examples = "split.tuning"
[step.train]
operator = "train.trees"
in.examples = "split.train"
in.tuning = "search.tuning"
params = { label = "late", rounds = 120 }
"""


def write_rows(path, count):
    draw = random.Random(3)
    with open(path, "w") as file:
        file.write("distance,wind,carrier,late\n")
        for _ in range(count):
            distance, wind, carrier = draw.randrange(2500), draw.randrange(50), draw.randrange(4)
            late = wind + 5 * carrier + distance / 200 + draw.random() * 25 > 52
            file.write(f"{distance},{wind},{'ABCD'[carrier]},{str(late).lower()}\n")


class Searching(Product):
    def __init__(self, build):
        super().__init__(tempfile.mkdtemp(prefix="pl-search-"), build)
        self.write_config(self.place)
        self.folder = os.path.join(self.place, "late")
        os.makedirs(os.path.join(self.folder, "incoming"))
        with open(os.path.join(self.folder, "pipeline.toml"), "w") as file:
            file.write(PIPELINE)
        write_rows(os.path.join(self.folder, "incoming", "1.csv"), 15_000)
        self.start()
        self.pipectl("apply", self.folder)
        assert wait_for(lambda: self.found("SELECT count(*) FROM arrivals")[0][0] == 1, 30), "the file was not taken"

    def found(self, sql):
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store")) as records:
            return records.rows(sql)

    def trials_done(self):
        return len(self.found("SELECT 1 FROM steps WHERE step = 'trial' AND state = 'succeeded'"))

    def outcome(self):
        """What everything made: step, element, port and the digest of its bytes."""
        return self.found("SELECT s.step, s.element, b.port, hex(a.digest) FROM steps s JOIN bindings b ON "
                          "b.result = s.result JOIN artifacts a ON a.id = b.artifact ORDER BY 1, 2, 3")

    def end(self):
        if self.daemon.poll() is None:
            self.stop()
        shutil.rmtree(self.place, ignore_errors=True)


def undisturbed(build):
    product = Searching(build)
    try:
        product.pipectl("run", "late", "--wait")
        return product.outcome()
    finally:
        product.end()


def killed(build, kills, draw):
    product, happened, done_at = Searching(build), 0, []
    try:
        product.pipectl("run", "late")
        while happened < kills and product.ask("show", "1")["run"]["state"] == "running":
            time.sleep(draw.uniform(0.1, 0.9))
            product.daemon.send_signal(signal.SIGKILL)
            product.daemon.wait(30)
            done_at.append(product.trials_done())
            happened += 1
            product.start()
        assert any(0 < done < 8 for done in done_at), f"no kill came in the middle of the search: {done_at}"
        product.pipectl("show", "1", "--wait", "--timeout", "120s")
        twice = product.found("SELECT step, element, count(*) FROM attempts WHERE outcome = 'ok' "
                              "GROUP BY step, element HAVING count(*) > 1")
        assert not twice, f"these had succeeded and ran again: {twice}"
        return product.outcome(), happened, done_at
    finally:
        product.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    build = os.path.abspath(arguments.build)
    expected = undisturbed(build)
    assert len([row for row in expected if row[0] == "trial"]) >= 8, expected
    seen, happened, done_at = killed(build, arguments.kills, random.Random(arguments.seed))
    assert seen == expected, f"the killed search differs: {sorted(set(map(tuple, seen)) ^ set(map(tuple, expected)))[:6]}"
    print(f"{happened} kills with {done_at} of 8 trials done: the same {len(expected)} artifacts, nothing ran twice")


if __name__ == "__main__":
    main()
