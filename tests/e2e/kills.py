#!/usr/bin/env python3
"""kill -9 at random moments of the real daemon, with hundreds of steps in flight and files landing.

usage: kills.py --build BUILD [--kills N] [--seed N]

Before each kill at least 200 steps of open runs are not at their end, and files are landing.  After
each the records and objects are looked at from outside, and every run that was promised is there.  In
the end each file is taken once and every artifact is the same as where nothing was killed.
"""
import argparse
import json
import os
import random
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from injured import OPEN_RUNS, Injured  # noqa: E402
from torture import Victim  # noqa: E402
from product import alive, children_of, wait_for  # noqa: E402

ELEMENTS = 220
WIDE = """name = "wide"
[params]
p = 0
[run]
overlap = "queue"
[source.in]
path = "in/{SPAN}.txt"
settle = "50ms"
[step.first]
foreach = "source.in"
operator = "command.run"
in.file = "each"
params.argv = ["sh", "-c", "sleep 0.1; (cat {in.file}; echo ${p}) > {out.x}"]
out.x = "files/1"
retry = { max = 1 }
[step.second]
foreach = "first"
operator = "command.run"
in.file = "first"
params.argv = ["sh", "-c", "wc -c < {in.file} > {out.x}"]
out.x = "files/1"
retry = { max = 1 }
"""


class Wide(Victim):
    """A victim with a pipeline of several hundred steps a run."""

    def __init__(self, build):
        super().__init__(build, "[capacity]\nattempts = 24\n")
        self.wide = os.path.join(self.place, "wide")
        os.makedirs(os.path.join(self.wide, "in"))
        with open(os.path.join(self.wide, "pipeline.toml"), "w") as file:
            file.write(WIDE)
        for number in range(ELEMENTS):
            with open(os.path.join(self.wide, "in", f"{number}.txt"), "w") as file:
                file.write(f"{number}\n")
        self.asked = 0

    def begin(self):
        self.launch_with("")
        assert self.answers(30), self.log()[-2000:]
        for folder in (self.folder, self.wide):
            self.pipectl("apply", folder)
        assert wait_for(lambda: sum(s["pipeline"] == "wide" for s in self.ask("span", "list")["spans"]) == ELEMENTS,
                        30), "the wide source is not taken"

    def in_flight(self):
        """Steps of open runs that are not at their end, as the records say."""
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store")) as found:
            total = len(found.rows(f"SELECT number FROM runs WHERE pipeline = 'wide' AND state IN {OPEN_RUNS}")) * \
                2 * ELEMENTS
            (over,), = found.rows("SELECT count(*) FROM steps s JOIN runs r ON r.number = s.run WHERE r.pipeline = 'wide' "
                                  f"AND r.state IN {OPEN_RUNS} AND s.state NOT IN ('waiting', 'ready', 'running')") or [(0,)]
            return total - over

    def ask_wide(self):
        self.asked += 1
        done = self.pipectl("run", "wide", "--param", f"p={self.asked}", "-o", "json", expect=None)
        if done.returncode == 0:
            self.acknowledged.add(int(json.loads(done.stdout)["run"]))
        return done

    def finish_wide(self, seconds):
        """Retries what machine faults failed until every run of `wide` has succeeded."""
        def rested():
            runs = self.ask("runs", "--limit", "1000")["runs"]
            if any(run["state"] in OPEN_RUNS for run in runs):
                return False
            failed = [run for run in runs if run["state"] == "failed"]
            for run in failed:
                self.pipectl("retry", str(run["number"]), expect=None)
            return not failed
        assert wait_for(rested, seconds), [r for r in self.ask("runs")["runs"] if r["state"] != "succeeded"][:3]
        self.come_to_rest()
        self.ask_for("copy")
        self.come_to_rest()


def digests(victim):
    with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
        wrong = found.fsck(victim.bin, sorted(victim.acknowledged)) + found.problems()
        assert not wrong, wrong[:5]
        for pipeline in ("copy", "wide"):
            twice = {span: count for span, count in found.arrivals(pipeline).items() if count != 1}
            assert not twice, f"taken more than once: {twice}"
        missing = {name for name, _ in victim.delivered} - set(found.arrivals("copy"))
        assert not missing, f"never taken: {sorted(missing)}"
        return found.outputs("copy"), {key: digest for key, digest in found.rows(
            "SELECT hex(r.key) || b.port, hex(a.digest) FROM results r JOIN bindings b ON b.result = r.id AND "
            "b.output = 1 JOIN artifacts a ON a.id = b.artifact WHERE r.pipeline = 'wide' AND r.key IS NOT NULL")}


def stop(victim):
    victim.daemon.send_signal(signal.SIGTERM)
    victim.daemon.wait(60)


def hurt(victim, kills, chance):
    """Kills the daemon so many times; the fewest steps that were in flight at a kill."""
    fewest, starts = 10 ** 9, []
    for number in range(kills):
        # So many that a kill always meets 200, and no more than are done within minutes afterwards.
        if victim.in_flight() < (1600 if number % 8 == 0 else 300):
            victim.ask_wide()
        for i in range(2):
            victim.land(f"{1000 + len(victim.delivered)}.txt", f"{number} {i}\n")
            victim.delivered.append((f"{1000 + len(victim.delivered)}", f"{number} {i}\n"))
        time.sleep(chance.random() * 0.5)
        before = children_of(victim.daemon.pid)
        victim.daemon.kill()
        victim.daemon.wait()
        fewest = min(fewest, victim.in_flight())
        victim.look(f"kill {number + 1}", deep=number % 10 == 0)
        assert wait_for(lambda: not any(alive(p) for p in before), 10), "processes outlive the daemon"
        began = time.monotonic()
        victim.launch_with("")
        assert victim.answers(30), f"it does not start after kill {number + 1}: {victim.log()[-1500:]}"
        starts.append(time.monotonic() - began)
    return fewest, sorted(starts)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    began = time.monotonic()
    victim, unhurt = Wide(os.path.abspath(arguments.build)), Wide(os.path.abspath(arguments.build))
    try:
        victim.begin()
        fewest, starts = hurt(victim, arguments.kills, random.Random(arguments.seed))
        victim.finish_wide(120 + arguments.kills)
        stop(victim)
        copied, made = digests(victim)
        unhurt.begin()
        for name, content in victim.delivered:
            unhurt.land(f"{name}.txt", content)
            unhurt.delivered.append((name, content))
        unhurt.asked = victim.asked - 1  # the last parameters: their artifacts must be the same
        unhurt.ask_wide()
        unhurt.finish_wide(120)
        stop(unhurt)
        expected, expected_made = digests(unhurt)
        differing = [key for key in expected if copied.get(key) != expected[key]]
        assert not differing, f"{len(differing)} artifacts differ, as {differing[:3]}"
        differing = [key for key in expected_made if made.get(key) != expected_made[key]]
        assert not differing, f"{len(differing)} artifacts of the wide pipeline differ"
        assert fewest >= 200, f"only {fewest} steps were in flight at a kill"
        print(f"{arguments.kills} kills with {fewest} steps in flight or more, {len(victim.delivered)} files while it "
              f"was killed, {len(victim.acknowledged)} promised runs, {len(expected) + len(expected_made)} artifacts the "
              f"same; a start takes {starts[len(starts) // 2]:.2f} s, {starts[-1]:.2f} s at most; "
              f"{time.monotonic() - began:.0f} s")
    except BaseException:
        print(victim.log()[-3000:])
        raise
    finally:
        victim.end()
        unhurt.end()


if __name__ == "__main__":
    main()
