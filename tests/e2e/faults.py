#!/usr/bin/env python3
"""Bad input and bad luck against the real daemon, one scenario a function.

usage: faults.py --build BUILD [NAME…]

Each scenario has a state folder of its own.  Prints one line a scenario and a count at the end;
ends with 1 if one fails.  What the machine cannot show is skipped with the reason.
"""
import argparse
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools"))
from product import Product, alive, children_of, find, ran, wait_for  # noqa: E402

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
params.argv = ["sh", "-c", "wc -l < {in.file} > {out.lines}"]
out.lines = "files/1"
"""


class Skip(Exception):
    pass


class World(Product):
    def __init__(self, build):
        super().__init__(tempfile.mkdtemp(prefix="pl-"), build)
        self.write_config(self.place)

    def pipeline(self, text, name="pipeline"):
        folder = os.path.join(self.place, name)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, "pipeline.toml"), "w") as file:
            file.write(text)
        return folder

    def land(self, name, content, folder="pipeline"):
        target = os.path.join(self.place, folder, "in", name)
        with open(target + ".part", "w") as file:
            file.write(content)
        os.rename(target + ".part", target)

    def alerts(self):
        return self.ask("alerts")["alerts"]

    def end(self):
        if self.daemon and self.daemon.poll() is None:
            self.stop(signal.SIGKILL)
        shutil.rmtree(self.place, ignore_errors=True)


def one_step(argv, more=""):
    """A pipeline of one command; every declared output must be named, so a shell gets it as $0."""
    if not any("{out.x}" in word for word in argv):
        argv = argv + ["{out.x}"]
    quoted = ", ".join('"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"' for word in argv)
    return f'name = "one"\n[step.a]\noperator = "command.run"\nparams.argv = [{quoted}]\nout.x = "files/1"\n{more}'


def run_one(world, argv, more=""):
    world.start()
    world.pipectl("apply", world.pipeline(one_step(argv, more)))
    world.pipectl("run", "one", "--wait", "--timeout", "60s", expect=None)
    return find(world.ask("show", "last"), "a")


def missing_folder(world):
    """A watched folder that is not there is told, alerted, and taken up when it appears."""
    world.start()
    folder = world.pipeline(COPY)
    world.pipectl("apply", folder)
    assert wait_for(lambda: any("in" in a["sentence"] for a in world.alerts())), world.alerts()
    os.mkdir(os.path.join(folder, "in"))
    world.land("1.txt", "a\nb\n")
    detail = world.run_after(0, 20)
    assert detail and detail["run"]["state"] == "succeeded", detail


def bad_pipeline_file(world):
    """A pipeline file with a mistake leaves the last good version in force and raises an alert."""
    folder = world.pipeline(COPY, "watched")
    os.mkdir(os.path.join(folder, "in"))
    world.write_config(world.place, f'pipelines = ["{folder}"]\n')
    world.start()
    assert wait_for(lambda: world.ask("status")["pipelines"]), world.log()
    version = world.ask("status")["pipelines"][0]["version"]
    world.pipeline(COPY.replace('coalesce = "100ms"', 'coalesc = "100ms"'), "watched")
    line = 1 + COPY[:COPY.index("coalesce")].count("\n")
    assert wait_for(lambda: any(f"{line}" in a["sentence"] and "coalesc" in a["sentence"] for a in world.alerts())), \
        world.alerts()
    assert world.ask("status")["pipelines"][0]["version"] == version
    world.land("1.txt", "x\n", "watched")
    detail = world.run_after(0, 20)
    assert detail and detail["run"]["state"] == "succeeded", detail


def segfault(world):
    """An operator that dies of a signal is a failed attempt with the signal's name."""
    step = run_one(world, ["sh", "-c", "kill -SEGV $$"])
    assert step["state"] == "failed" and "SEGV" in step["reason"]["sentence"], step["reason"]
    assert world.daemon.poll() is None


def hang(world):
    """An operator that hangs is killed at its timeout, with everything that it started."""
    step = run_one(world, ["sh", "-c", "setsid sleep 4711 & sleep 4712"], 'timeout = "1s"\n')
    assert step["state"] == "failed" and "timed out" in step["reason"]["sentence"], step["reason"]
    left = subprocess.run(["pgrep", "-f", "sleep 471[12]"], capture_output=True, text=True).stdout
    assert not left, left


def loud(world):
    """An operator that prints 1 GB costs a bounded log and no memory of the daemon."""
    step = run_one(world, ["sh", "-c", "head -c 1000000000 /dev/zero | tr '\\\\0' x; echo done > {out.x}"])
    assert step["state"] == "succeeded", step["reason"]
    size = subprocess.run(["du", "-sm", world.place], capture_output=True, text=True).stdout.split()[0]
    assert int(size) < 100, size
    with open(f"/proc/{world.daemon.pid}/status") as file:
        rss = next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))
    assert rss < 100_000, rss


def nonsense(world):
    """An odd exit status is a failure that names it; a missing output another."""
    step = run_one(world, ["sh", "-c", "echo oh no >&2; exit 250"])
    assert step["state"] == "failed" and "250" in step["reason"]["sentence"], step["reason"]
    world.pipectl("apply", world.pipeline(one_step(["true", "{out.x}"])))
    world.pipectl("run", "one", "--wait", expect=None)
    step = find(world.ask("show", "last"), "a")
    assert step["state"] == "failed" and "output x missing" in step["reason"]["sentence"], step["reason"]


def second_instance(world):
    """A second daemon on one state folder is refused with a sentence."""
    world.start()
    done = subprocess.run([f"{world.bin}/pipelined", "--config", os.path.join(world.place, "pipelined.toml")],
                          capture_output=True, text=True, timeout=20)
    assert done.returncode != 0 and "state" in done.stdout + done.stderr, done
    world.ask("status")


def newer_state(world):
    """A state folder that a newer version wrote is refused with a sentence."""
    world.start()
    world.stop()
    database = next(os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(world.place, "state"))
                    for name in names if name.endswith(".db"))
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version = 9999")
    connection.commit()
    connection.close()
    world.launch()
    assert world.daemon.wait(20) != 0
    assert "newer" in world.log(), world.log()[-500:]


def disk_full(world):
    """On a full disk runs wait and reads go on; with space again they end by themselves."""
    if os.getuid() != 0:
        raise Skip("only root can make a small file system")
    small = os.path.join(world.place, "small")
    os.mkdir(small)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", small]).returncode != 0:
        raise Skip("this machine mounts no tmpfs")
    try:
        with open(os.path.join(world.place, "pipelined.toml")) as file:
            text = file.read()
        with open(os.path.join(world.place, "pipelined.toml"), "w") as file:
            file.write(text.replace(f'"{world.place}/state"', f'"{small}/state"')
                       .replace(f'"{world.place}/store"', f'"{small}/store"'))
        world.start()
        world.pipectl("apply", world.pipeline(one_step(["sh", "-c", "sleep 2; echo result > {out.x}"])))
        number = int(world.ask("run", "one")["run"])
        time.sleep(0.5)
        with open(os.path.join(small, "filler"), "wb") as file:
            try:
                while True:
                    file.write(b"x" * 65536)
                    file.flush()
            except OSError:
                pass
        time.sleep(3)
        assert world.ask("show", str(number))["run"]["state"] == "running"
        assert world.ask("status")["protocol"] == 1
        os.unlink(os.path.join(small, "filler"))
        assert wait_for(lambda: world.ask("show", str(number))["run"]["state"] == "succeeded", 30), \
            (world.ask("show", str(number)), world.log()[-1500:])
        assert find(world.ask("show", str(number)), "a")["tries"] == 1
    finally:
        if world.daemon and world.daemon.poll() is None:
            world.stop(signal.SIGKILL)
        subprocess.run(["umount", "-l", small])


def mass_kill(world):
    """kill -9 at random moments under load: every arrival is taken once and every run comes to rest."""
    folder = world.pipeline(COPY)
    os.mkdir(os.path.join(folder, "in"))
    world.start()
    world.pipectl("apply", folder)
    for i in range(12):
        world.land(f"{i + 1}.txt", "line\n" * (i + 1))
        time.sleep(0.05 + (i * 37 % 11) * 0.06)
        processes = children_of(world.daemon.pid)
        world.stop(signal.SIGKILL)
        assert wait_for(lambda: not any(alive(p) for p in processes), 5), "processes are left"
        world.start()
    assert wait_for(lambda: (runs := world.ask("runs", "--limit", "1000")["runs"]) and
                    all(r["state"] not in ("running", "queued") for r in runs) and
                    len(world.ask("span", "list")["spans"]) == 12 and
                    all(s["state"] == "accepted" for s in world.ask("span", "list")["spans"]), 60), \
        (world.ask("runs"), world.ask("span", "list"))
    detail = world.ask("show", "last")
    assert detail["run"]["state"] == "succeeded", detail["run"]


def goes_on(world):
    """kill -9 in the middle of a resumable operator: the next attempt goes on from its checkpoint."""
    world.plugins = os.path.join(os.path.dirname(world.bin), "example_plugins")
    world.write_config(world.place)
    folder = world.pipeline('name = "long"\n[step.a]\noperator = "example.long_work"\n'
                            'params = { rounds = 40, pause_ms = 50 }\n')
    world.start()
    world.pipectl("apply", folder)
    world.pipectl("run", "long")
    checkpoint = os.path.join(world.place, "store", "attempts")
    assert wait_for(lambda: any("done" in files for _, _, files in os.walk(checkpoint)), 20), world.log()
    time.sleep(0.5)
    world.stop(signal.SIGKILL)
    world.start()
    assert wait_for(lambda: world.ask("show", "last")["run"]["state"] == "succeeded", 30), world.log()
    step = find(world.ask("show", "last"), "a")
    found = {metric["name"]: metric["value"] for metric in step["metrics"]}["rounds_found"]
    assert 0 < found < 40 and step["tries"] == 1, step
    assert os.listdir(os.path.join(world.place, "store", "checkpoints")) == []


SCENARIOS = [missing_folder, bad_pipeline_file, segfault, hang, loud, nonsense, second_instance, newer_state,
             disk_full, mass_kill, goes_on]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    passed = failed = skipped = 0
    for scenario in SCENARIOS:
        if arguments.names and scenario.__name__ not in arguments.names:
            continue
        world = World(os.path.abspath(arguments.build))
        began = time.monotonic()
        try:
            scenario(world)
            passed += 1
            verdict = "passed"
        except Skip as reason:
            skipped += 1
            verdict = f"skipped: {reason}"
        except (Exception, SystemExit):
            failed += 1
            verdict = "FAILED\n" + traceback.format_exc() + "\nlog:\n" + \
                (world.log()[-2500:] if os.path.exists(os.path.join(world.place, "daemon.log")) else "")
        finally:
            world.end()
        print(f"{scenario.__name__:20} {time.monotonic() - began:5.1f} s  {verdict}", flush=True)
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
