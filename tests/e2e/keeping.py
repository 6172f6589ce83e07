#!/usr/bin/env python3
"""Looking after the store of the real daemon: fsck while it works, when it is stopped and after kills.

usage: keeping.py --build BUILD [NAME…]

Each scenario has a state folder of its own.  Prints one line a scenario and a count at the end;
ends with 1 if one fails.
"""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from product import Product, wait_for  # noqa: E402

COPY = """name = "copy"
[source.in]
path = "in/{SPAN}.txt"
settle = "100ms"
[[trigger]]
arrival = ["in"]
coalesce = "100ms"
[step.count]
foreach = "source.in"
operator = "command.run"
in.file = "each"
params.argv = ["sh", "-c", "cp {in.file} {out.lines}"]
out.lines = "files/1"
[step.join]
operator = "command.run"
in.files = "count.lines"
params.argv = ["sh", "-c", "cat {in.files} > {out.all}"]
out.all = "files/1"
"""


class World(Product):
    def __init__(self, build, more=""):
        super().__init__(tempfile.mkdtemp(prefix="pl-"), build)
        self.write_config(self.place, more)
        folder = os.path.join(self.place, "pipeline")
        os.makedirs(os.path.join(folder, "in"))
        with open(os.path.join(folder, "pipeline.toml"), "w") as file:
            file.write(COPY)

    def land(self, name, content):
        target = os.path.join(self.place, "pipeline", "in", name)
        with open(target + ".part", "w") as file:
            file.write(content)
        os.rename(target + ".part", target)

    def begin(self, files=3):
        self.start()
        self.pipectl("apply", os.path.join(self.place, "pipeline"))
        before = self.newest()
        for i in range(files):
            self.land(f"{i}.txt", f"delivery {i}\n")
        if not wait_for(lambda: len(self.ask("span", "list")["spans"]) == files, 60):
            raise AssertionError("not every delivery was taken")
        self.run_after(before)
        wait_for(lambda: all(r["state"] not in ("queued", "running") for r in self.ask("runs")["runs"]))

    def offline(self, *words):
        """fsck of the stopped daemon's state: exit code and report."""
        done = subprocess.run([f"{self.bin}/pipelined", "--config", os.path.join(self.place, "pipelined.toml"),
                               "--fsck", "-o", "json", *words], capture_output=True, text=True)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def online(self, *words):
        done = self.pipectl("fsck", "-o", "json", *words, expect=None)
        return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr

    def objects(self):
        found = []
        for folder, _, names in os.walk(os.path.join(self.place, "store", "objects")):
            found += [os.path.join(folder, name) for name in names]
        return sorted(found)

    def finish(self):
        if self.daemon and self.daemon.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.place, ignore_errors=True)


def must(truth, what, seen=""):
    if not truth:
        raise AssertionError(f"{what}: {seen}")


def bad_rows(report):
    return {row["name"]: row for row in report["rows"] if row["verdict"] == "violated"}


def clean_while_it_works_and_after_it_stopped(world):
    world.begin()
    for words in ((), ("--deep",)):
        code, report = world.online(*words)
        must(code == 0 and not bad_rows(report), "online", json.dumps(report, indent=1))
        must([row["name"] for row in report["rows"]] == [f"I{i}" for i in range(1, 18)], "17 rows")
    code, message = world.offline()
    must(code == 1 and "works on the state folder" in message, "not beside a running daemon", message)
    world.stop()
    code, report = world.offline("--deep")
    must(code == 0 and not bad_rows(report), "offline", json.dumps(report, indent=1))


def clean_after_kills(world):
    world.begin()
    for i in range(5):
        world.land(f"{10 + i}.txt", f"more {i}\n")
        world.stop(signal.SIGKILL)
        code, report = world.offline("--deep")
        must(code == 0, "offline after a kill", bad_rows(report))
        world.start()
        code, report = world.online("--deep")
        must(code == 0, "online after a kill", bad_rows(report))


def violated_after_damage(world):
    world.begin()
    world.stop()
    victim = world.objects()[0]
    os.chmod(victim, 0o644)
    with open(victim, "r+b") as file:
        byte = file.read(1)
        file.seek(0)
        file.write(bytes([byte[0] ^ 1]))
    os.chmod(victim, 0o444)
    code, report = world.offline()
    must(code == 0, "sizes alone do not show it")
    code, report = world.offline("--deep")
    must(code == 1 and set(bad_rows(report)) == {"I2", "I3"}, "offline", report)
    world.start()
    code, report = world.online("--deep")
    must(code == 1 and set(bad_rows(report)) == {"I2", "I3"}, "online", report)


def secrets_are_looked_for(world):
    world.begin()
    path = os.path.join(world.place, "secrets")
    with open(path, "w") as file:
        file.write("canary-0815-0815\n")
    code, report = world.online("--secrets", path)
    must(code == 0 and report["rows"][16]["verdict"] == "ok", "no canary", report["rows"][16])
    world.land("9.txt", "canary-0815-0815\n")
    must(wait_for(lambda: len(world.ask("span", "list")["spans"]) == 4, 60), "the leak was taken")
    code, report = world.online("--deep", "--secrets", path)
    must(code == 1 and set(bad_rows(report)) == {"I17"}, "the canary is found", report["rows"][16])


SCENARIOS = [clean_while_it_works_and_after_it_stopped, clean_after_kills, violated_after_damage,
             secrets_are_looked_for]


def main():
    words = argparse.ArgumentParser()
    words.add_argument("--build", required=True)
    words.add_argument("names", nargs="*")
    given = words.parse_args()
    failed = 0
    chosen = [s for s in SCENARIOS if not given.names or s.__name__ in given.names]
    for scenario in chosen:
        world = World(os.path.abspath(given.build), getattr(scenario, "config", ""))
        try:
            scenario(world)
            print(f"ok    {scenario.__name__}", flush=True)
        except Exception:
            failed += 1
            print(f"FAIL  {scenario.__name__}\n{traceback.format_exc()}{world.log()[-2000:]}", flush=True)
        finally:
            world.finish()
    print(f"{len(chosen) - failed} of {len(chosen)} held")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
