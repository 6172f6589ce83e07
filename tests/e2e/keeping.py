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
params.argv = ["sh", "-c", 'o=$0; cat "$@" > "$o"', "{out.all}", "{in.files}"]
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

    def output(self, step, element="", port=""):
        """The digest of the newest artifact of a step."""
        return next(a["digest"] for a in self.ask("artifacts", "--limit", "1000")["artifacts"]
                    if a["step"] == step and a["element"] == element and port in ("", a["port"]))

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


def lineage_answers_both_ways_and_exports_the_same_bytes(world):
    world.begin()
    number = world.newest()
    model = world.output("join")
    above = world.ask("lineage", model)["nodes"]
    came = {path: node["digest"] for node in above for path in node["delivered"]}
    folder = os.path.join(world.place, "pipeline", "in")
    must(sorted(came) == [os.path.join(folder, f"{i}.txt") for i in range(3)], "all it was made from", above)
    for place, (path, digest) in enumerate(sorted(came.items())):
        where = os.path.join(world.place, f"again{place}")
        world.pipectl("artifact", "export", digest, where)
        (name,) = os.listdir(where)
        with open(path, "rb") as one, open(os.path.join(where, name), "rb") as other:
            must(one.read() == other.read(), "the snapshot comes out again byte for byte", path)
        for what in (digest[:12], f"in/{place}", f"copy/in/{place}", path):
            below = world.ask("lineage", what, "--down")["nodes"]
            must(below[0]["digest"] == digest, f"{what} means what was delivered", below)
            found = [node for node in below if node["digest"] == model]
            must(len(found) == 1 and number in found[0]["runs"], f"what was made of {what}", below)
    # A run that reuses everything stands on the same data.
    again = json.loads(world.pipectl("run", "copy", "-o", "json").stdout)["run"]
    world.rest(int(again))
    node = next(n for n in world.ask("lineage", "in/0", "--down")["nodes"] if n["digest"] == model)
    must(node["runs"] == [int(again), number], "runs that made and reused it", node)
    # A corrected delivery: the span means both versions, the model stands on the old one alone.
    world.land("0.txt", "corrected\n")
    must(wait_for(lambda: world.ask("lineage", "in/0", "--down")["nodes"][0]["digest"] != came[os.path.join(folder, "0.txt")]),
         "the new version comes first")
    kept = [node["digest"] for node in world.ask("lineage", model)["nodes"]]
    must(came[os.path.join(folder, "0.txt")] in kept, "the model was made from the old version")
    done = world.pipectl("lineage", "in/9", expect=None)
    must(done.returncode != 0 and "nothing was delivered" in done.stderr, "unknown spans", done.stderr)
    done = world.pipectl("lineage", model, "--type", "model/1")
    must("nothing of that type" in done.stderr, "filtered by type", done.stderr)


TABLES = """name = "tables"
[source.in]
path = "in/{SPAN}.csv"
settle = "100ms"
[step.ingest]
foreach = "source.in"
operator = "ingest.files"
in.files = "each"
"""


def two_tables_are_compared(world):
    """Against what the test works out itself from the same rows."""
    folder = os.path.join(world.place, "tables")
    os.makedirs(os.path.join(folder, "in"))
    with open(os.path.join(folder, "pipeline.toml"), "w") as file:
        file.write(TABLES)
    one = {i: (f"name {i}", i * 1.5) for i in range(200)}
    other = {i: (f"name {i}", i * 1.5 + (i % 20 == 0)) for i in range(10, 230)}
    for name, rows, more in (("1", one, False), ("2", other, True)):
        with open(os.path.join(folder, "in", name + ".csv"), "w") as file:
            file.write("id,name,amount" + (",city" if more else "") + "\n")
            file.write("".join(f"{i},{n},{a}" + (",x" if more else "") + "\n" for i, (n, a) in rows.items()))
    world.start()
    world.pipectl("apply", folder)
    must(wait_for(lambda: len(world.ask("span", "list", "--pipeline", "tables")["spans"]) == 2, 60), "delivered")
    world.pipectl("run", "tables", "--wait")
    first, second = (world.output("ingest", name, "examples") for name in ("1", "2"))
    diff = world.ask("artifact", "diff", first, second, "--key", "id")
    changed = [i for i in one if i in other and one[i] != other[i]]
    expected = {"rows": 200, "other_rows": 220, "added": len(set(other) - set(one)), "removed": len(set(one) - set(other)),
                "changed": len(changed), "same": len([i for i in one if one[i] == other.get(i)])}
    must({name: diff[name] for name in expected} == expected, "rows by key", diff)
    columns = {column["column"]: column for column in diff["columns"]}
    must(diff["columns_differ"] and columns["city"]["type"] == "" and columns["city"]["other_type"] == "VARCHAR",
         "a new column", columns)
    must(columns["amount"]["changed"] == len(changed) and columns["name"]["changed"] == 0, "changes by column", columns)
    mean = sum(a for _, a in other.values()) / len(other)
    must(abs(float(columns["amount"]["other_mean"]) - mean) < 1e-3 and columns["id"]["highest"] == "199"
         and columns["id"]["other_lowest"] == "10" and columns["name"]["distinct"] == "200", "statistics", columns)
    must(sorted(row["cells"][0] for row in diff["examples"]) == ["added"] * 10, "ten examples", diff["examples"])
    whole = world.ask("artifact", "diff", first, second)
    same = expected["same"]
    must((whole["added"], whole["removed"], whole["same"]) == (220 - same, 200 - same, same), "whole rows", whole)
    must(world.ask("artifact", "diff", first, first, "--key", "id")["same"] == 200, "the same table")
    told = world.pipectl("artifact", "diff", first[:12], second[:12], "--key", "id").stdout
    must("30 rows are new, 10 rows are gone, 9 rows are changed, 181 rows are the same (by id)." in told
         and "column city is new, of type VARCHAR." in told, "in words", told)
    done = world.pipectl("artifact", "diff", first, second, "--key", "nam", expect=None)
    must(done.returncode == 2 or "did you mean" in done.stderr, "an unknown key", done.stderr)
    done = world.pipectl("artifact", "diff", first, second, "--key", "city", expect=None)
    must("no common column" in done.stderr, "a key of one table only", done.stderr)


SCENARIOS = [clean_while_it_works_and_after_it_stopped, clean_after_kills, violated_after_damage,
             secrets_are_looked_for, lineage_answers_both_ways_and_exports_the_same_bytes, two_tables_are_compared]


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
