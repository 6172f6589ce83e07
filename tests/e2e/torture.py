#!/usr/bin/env python3
"""Faults injected into the real daemon: each failpoint is killed at, failed, and cut off from power.

usage: torture.py --build BUILD [--jobs N] [--thorough] [--only TEXT] [NAME…]

Names: kill, errors, lose, tear (one case a failpoint, from the daemon's own list), and planted: syncs
that lie, which must be noticed.  A failpoint that
is never hit fails.  The cases of one name share a state folder: what one leaves behind the next
starts with, and it is looked at after each death.  In the end everything that was delivered must be
recorded once, every acknowledged run be there, every alert have been received, and every artifact
be the same as where nothing went wrong.
"""
import argparse
import hashlib
import http.server
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.dirname(os.path.abspath(__file__))]
from injured import OPEN_RUNS, Injured  # noqa: E402
from product import Product, alive, children_of, wait_for  # noqa: E402

COPY = """name = "copy"
[run]
overlap = "coalesce"
[source.in]
path = "in/{SPAN}.txt"
settle = "50ms"
[[trigger]]
arrival = ["in"]
coalesce = "20ms"
[step.count]
foreach = "source.in"
operator = "command.run"
in.file = "each"
params.argv = ["sh", "-c", "echo x > {scratch}/junk; wc -c < {in.file} > {out.lines}"]
out.lines = "files/1"
[step.many]
foreach = "count"
operator = "command.run"
in.lines = "count"
params.argv = ["sh", "-c", "set -e; mkdir {out.many}; for i in 1 2 3 4 5 6; do (echo $i; cat {in.lines}) > {out.many}/$i; done"]
out.many = "files/1"
[step.all]
operator = "command.run"
in.many = "many"
params.argv = ["sh", "-c", 'o=$0; for d in "$@"; do cat "$d"/*; done > "$o"', "{out.all}", "{in.many}"]
out.all = "files/1"
"""
POLL = """name = "poll"
[source.rows]
kind = "query"
database = "sqlite"
path = "rows.db"
query = "SELECT id FROM rows"
watermark = "id"
every = "2s"
[step.a]
operator = "command.run"
params.argv = ["sh", "-c", "echo a > $0", "{out.x}"]
out.x = "files/1"
"""
SLOW = """name = "slow"
[step.a]
operator = "command.run"
params.argv = ["sh", "-c", "sleep 60; echo > $0", "{out.x}"]
out.x = "files/1"
"""
NOTE = """name = "note"
# {}
[step.a]
operator = "command.run"
params.argv = ["sh", "-c", "echo note > $0", "{{out.x}}"]
out.x = "files/1"
"""
# What has to go wrong before the daemon comes to a place at all.
LEADS_TO = {
    "store.probe": "wal.sync:enospc:4+",
    "ballast.release": "wal.sync:enospc:4+",
    "promotion.take_back": "object.rename:eio:4+",
}
AT_THE_END = {"stop.begins", "stop.drained", "database.write", "database.written", "database.sync",
              "database.synced"}
SYNCS = {"file.sync", "system.sync", "wal.sync", "database.sync"}


class Receiver:
    """A webhook's far end, which remembers what it was sent."""

    def __init__(self):
        received = self.received = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                key = self.headers["Idempotency-Key"]
                received[key] = received.get(key, 0) + 1
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/"


class Victim(Product):
    """A daemon that is hurt again and again, on one state folder."""

    def __init__(self, build, more=""):
        super().__init__(tempfile.mkdtemp(prefix="pl-torture-"), build)
        self.receiver = Receiver()
        self.plugins = os.path.join(self.place, "plugins")
        os.mkdir(self.plugins)
        # Alone, since loading all of them at every start takes its time.
        shutil.copy(os.path.join(build, "plugins", "ingest.so"), self.plugins)
        self.write_config(self.place, f'{more}\n[[alert]]\nname = "hook"\nkind = "webhook"\nurl = "{self.receiver.url}"\n')
        self.folder = os.path.join(self.place, "copy")
        for name in ("copy/in", "slow", "note", "poll"):
            os.makedirs(os.path.join(self.place, name))
        self.more_rows()
        for name, text in (("copy", COPY), ("slow", SLOW), ("poll", POLL)):
            with open(os.path.join(self.place, name, "pipeline.toml"), "w") as file:
                file.write(text)
        self.believed = {}
        self.delivered = []
        self.acknowledged = set()
        self.rounds = 0

    def hit_places(self):
        path = os.path.join(self.place, "hits")
        if not os.path.exists(path):
            return set()
        with open(path) as file:
            return set(file.read().split())

    def launch_with(self, fault, seed=0):
        hits = os.path.join(self.place, "hits")
        if os.path.exists(hits):
            os.unlink(hits)
        environment = dict(os.environ, PIPELINED_FAULT_HITS=hits, PIPELINED_FAULT_SEED=str(seed))
        if fault:
            environment["PIPELINED_FAULT"] = fault
        with open(os.path.join(self.place, "daemon.log"), "ab") as log:
            log.write(f"--- {fault}\n".encode())
            log.flush()
            self.daemon = subprocess.Popen(
                [f"{self.bin}/pipelined", "--allow-faults", "--config", os.path.join(self.place, "pipelined.toml")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)

    def answers(self, seconds):
        """Waits until the daemon answers or is gone."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.daemon.poll() is None:
            if self.pipectl("status", "-o", "json", expect=None).returncode == 0:
                return True
            time.sleep(0.02)
        return False

    def more_rows(self):
        """Something new for the next poll."""
        rows = sqlite3.connect(os.path.join(self.place, "poll", "rows.db"), timeout=30)
        with rows:
            rows.execute("CREATE TABLE IF NOT EXISTS rows (id INTEGER PRIMARY KEY)")
            rows.execute("INSERT INTO rows DEFAULT VALUES")
        rows.close()

    def land(self, name, content):
        target = os.path.join(self.folder, "in", name)
        with open(target + ".part", "w") as file:
            file.write(content)
        os.rename(target + ".part", target)

    def a_round(self):
        """Something of everything that a daemon does."""
        self.rounds += 1
        number = self.rounds
        for name, content in ((f"{1000 + number}", "x" * number), (f"{5000 + number}", "same")):
            self.land(f"{name}.txt", content)
            self.delivered.append((name, content))
        self.land(f"stray{number}.bad", "?")
        self.more_rows()
        with open(os.path.join(self.place, "note", "pipeline.toml"), "w") as file:
            file.write(NOTE.format(number))
        self.pipectl("apply", os.path.join(self.place, "note"), expect=None)
        self.ask_for("note")

    def ask_for(self, name):
        done = self.pipectl("run", name, "-o", "json", expect=None)
        if done.returncode == 0:
            run = int(json.loads(done.stdout)["run"])
            self.acknowledged.add(run)
            return run
        return 0

    def age_same(self, spoil):
        """Makes the object that every round delivers again look old, or wrong; whether it is there."""
        name = hashlib.sha256(b"same").hexdigest()
        path = os.path.join(self.place, "store", "objects", name[:2], name[2:])
        if not os.path.exists(path):
            return False
        if spoil:
            os.chmod(path, 0o600)
            with open(path, "r+b") as file:
                file.write(b"evil")
            os.chmod(path, 0o444)
        os.utime(path, (time.time() - 7200, time.time() - 7200))
        return True

    def runs_slow(self):
        """Whether the step of SLOW has begun."""
        for process in children_of(self.daemon.pid):
            try:
                with open(f"/proc/{process}/cmdline", "rb") as file:
                    if file.read().startswith(b"sleep\0"):
                        return True
            except OSError:
                pass
        return False

    def look(self, after, spoiled=False, deep=True):
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store"), self.believed) as found:
            # Objects that a case has spoilt on purpose are what both would find.
            wrong = [] if spoiled else found.fsck(self.bin, sorted(self.acknowledged), deep) + found.problems()
        assert not wrong, f"after {after}: " + "; ".join(wrong[:8])

    def unrest(self):
        """What is not at rest yet, in words; empty: everything is, and every alert was received."""
        runs = self.ask("runs", "--limit", "1000")["runs"]
        unfinished = [run["number"] for run in runs if run["state"] in OPEN_RUNS]
        if unfinished:
            return f"runs {unfinished[:5]} are open"
        states = {s["span"]: s["state"] for s in self.ask("span", "list")["spans"]} if self.delivered else {}
        missing = [name for name, _ in self.delivered if states.get(name) != "accepted"]
        if missing:
            # Steps that died with the daemon three times in a row have failed: the way out.
            for run in runs:
                if run["pipeline"] == "copy" and run["state"] == "failed":
                    self.pipectl("retry", str(run["number"]), expect=None)
                    break
            return f"span {missing[0]} is {states.get(missing[0])} and {len(missing) - 1} more are not accepted"
        alerts = {alert["id"] for alert in self.ask("alerts", "--limit", "1000")["alerts"]}
        if len(alerts) > len(self.receiver.received):
            return f"{len(alerts)} alerts are recorded, {len(self.receiver.received)} were received"
        return ""

    def come_to_rest(self, seconds=240):
        """Everything delivered is accepted, nothing is open, every alert was received."""
        if not wait_for(lambda: not self.unrest(), seconds):
            raise AssertionError(f"it does not come to rest: {self.unrest()}")

    def end(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        shutil.rmtree(self.place, ignore_errors=True)


def failpoints(build):
    """name → whether it is a call, from the daemon itself."""
    text = subprocess.run([f"{build}/bin/pipelined", "--list-failpoints"], capture_output=True, text=True,
                          check=True).stdout
    return {line.split()[0]: line.split()[1] == "call" for line in text.splitlines()}


def one_case(victim, place, action, number, seed, again):
    """Arms one failpoint, works until it strikes, and looks at what is left."""
    fault = f"{place}:{action}"
    lead = LEADS_TO.get(place)
    spoiled = place.startswith("object.quarantine")
    if spoiled:
        victim.age_same(spoil=True)
    before = set()
    victim.launch_with(f"{lead},{fault}" if lead else fault, seed)
    working = victim.answers(10)
    if working:
        victim.a_round()
        if place == "object.touch":
            wait_for(lambda: victim.age_same(spoil=False), 5)
            victim.a_round()
        if place == "host.kill":
            run = victim.ask_for("slow")
            wait_for(lambda: victim.daemon.poll() is not None or victim.runs_slow(), 20)
            if run:
                victim.pipectl("cancel", str(run), expect=None)
    before = children_of(victim.daemon.pid)
    deadly = action in ("kill", "lose", "tear")
    def struck():
        return victim.daemon.poll() is not None or (not deadly and place in victim.hit_places())
    if place in AT_THE_END:
        time.sleep(0.2)
        if victim.daemon.poll() is None:
            victim.daemon.send_signal(signal.SIGTERM)
    wait_for(struck, 10)
    if not deadly and victim.daemon.poll() is None:
        time.sleep(0.3)  # what follows from the error
        victim.daemon.send_signal(signal.SIGTERM if number % 2 else signal.SIGKILL)
    hit = place in victim.hit_places()
    if victim.daemon.poll() is None and deadly:
        victim.daemon.kill()
    victim.daemon.wait(30)
    if not hit:
        return [fault]
    assert wait_for(lambda: not any(alive(p) for p in before), 10), f"processes outlive {fault}"
    victim.look(fault, spoiled)
    if again:
        victim.launch_with(f"*:kill:{1 + number * 13 % 60}", seed)
        wait_for(lambda: victim.daemon.poll() is not None, 1.5)
        victim.daemon.kill()
        victim.daemon.wait()
        victim.look(f"{fault} and a kill while it started again", spoiled)
    return []


def finish(victim):
    """Starts without faults: everything must come to rest, whole and the same as elsewhere."""
    victim.launch_with("")
    assert victim.answers(30), "it does not start any more"
    victim.come_to_rest()
    # Spans that failed while the newest run went past them are in the next one.
    victim.ask_for("copy")
    victim.come_to_rest()
    victim.daemon.send_signal(signal.SIGTERM)
    victim.daemon.wait(30)
    assert victim.daemon.returncode == 0, victim.log()[-800:]
    victim.look("all of it")
    with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
        unfinished = found.rows(f"SELECT number, state FROM runs WHERE state IN {OPEN_RUNS}")
        assert not unfinished, f"runs do not end: {unfinished[:5]}"
        counts = found.arrivals("copy")
        twice = {span: count for span, count in counts.items() if count != 1}
        assert not twice, f"taken more than once: {twice}"
        missing = {name for name, _ in victim.delivered} - set(counts)
        assert not missing, f"never taken: {sorted(missing)}"
        alerts = {identity for (identity,) in found.rows("SELECT id FROM alerts")}
        assert len(alerts) <= len(victim.receiver.received), "an alert was never received"
        return found.outputs("copy")


def unhurt(build, delivered):
    """The digests of the same deliveries where nothing goes wrong."""
    victim = Victim(build)
    try:
        victim.launch_with("")
        assert victim.answers(30)
        victim.pipectl("apply", victim.folder)
        for name, content in delivered:
            victim.land(f"{name}.txt", content)
        victim.delivered = delivered
        victim.daemon.send_signal(signal.SIGTERM)
        victim.daemon.wait(30)
        return finish(victim)
    finally:
        victim.end()


# Syncs that lie, and then a power cut: what must be noticed from outside.
PLANTED = ["wal.sync:pretend:1+,database.sync:pretend:1+,reply.sent:lose:6",
           "file.sync:pretend:1+,system.sync:pretend:1+,turn.committed:lose:12",
           "file.sync:pretend:1+,system.sync:pretend:1+,turn.committed:tear:12"]


def planted(build):
    """Each defect on a state folder of its own; it must be seen."""
    for number, fault in enumerate(PLANTED):
        victim = Victim(build)
        try:
            victim.launch_with(fault, number + 1)
            if victim.answers(30):
                victim.pipectl("apply", victim.folder, expect=None)
                while victim.daemon.poll() is None and victim.rounds < 20:
                    victim.a_round()
            assert wait_for(lambda: victim.daemon.poll() is not None, 20), f"{fault} never struck"
            with Injured(os.path.join(victim.place, "state"), os.path.join(victim.place, "store")) as found:
                assert found.fsck(victim.bin, sorted(victim.acknowledged)), f"{fault} was not noticed by fsck"
                lost = victim.acknowledged - {run for (run,) in found.rows("SELECT number FROM runs")}
                assert lost or found.problems(), f"{fault} was not noticed from outside"
        finally:
            victim.end()
    return len(PLANTED)


def cases_of(name, places, only):
    for place, call in places.items():
        if only and only not in place:
            continue
        if name == "errors":
            if call:
                yield place, "eio"
                yield place, "enospc"
        else:
            yield place, name


def chain(job):
    """All cases of one name on one state folder; a sentence and whether it passed."""
    name, build, thorough, only = job
    began = time.monotonic()
    if name == "planted":
        try:
            return True, f"{name:8} {planted(build)} lies noticed: passed in {time.monotonic() - began:.0f} s"
        except (Exception, SystemExit):
            return False, f"{name:8} FAILED\n{traceback.format_exc()}"
    victim = Victim(build)
    done = 0
    case = "the first start"
    try:
        victim.launch_with("")
        assert victim.answers(30), "the daemon does not start"
        victim.pipectl("apply", victim.folder)
        victim.pipectl("apply", os.path.join(victim.place, "slow"))
        victim.pipectl("apply", os.path.join(victim.place, "poll"))
        victim.a_round()
        victim.come_to_rest()
        victim.daemon.send_signal(signal.SIGTERM)
        victim.daemon.wait(30)
        places = failpoints(build)
        if name == "kill":
            assert len(places) >= 60, f"only {len(places)} failpoints"
        never = []
        for number, (place, action) in enumerate(cases_of(name, places, only)):
            case = f"{place}:{action}"
            never += one_case(victim, place, action, number, number + 1, name == "kill" or thorough)
            done += 1
        case = "the end"
        assert not never, f"never hit: {', '.join(never)}"
        made = finish(victim)
        expected = unhurt(build, victim.delivered)
        differing = [key for key in expected if made.get(key) != expected[key]]
        assert not differing, f"{len(differing)} artifacts differ: {[(key, made.get(key), expected[key]) for key in differing[:2]]}"
        return True, f"{name:8} {done} cases, {len(victim.delivered)} files, {len(expected)} artifacts the same, " \
                     f"{len(victim.receiver.received)} alerts: passed in {time.monotonic() - began:.0f} s"
    except (Exception, SystemExit):
        return False, f"{name:8} FAILED at {case} after {done} cases, {time.monotonic() - began:.0f} s\n" \
                      f"{traceback.format_exc()}\nlog:\n{victim.log()[-3000:]}"
    finally:
        victim.end()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--thorough", action="store_true")
    parser.add_argument("--only", default="", help="failpoints with this in their name")
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    names = arguments.names or ["kill", "errors", "lose", "tear", "planted"]
    failed = 0
    with multiprocessing.Pool(arguments.jobs) as pool:
        jobs = [(name, os.path.abspath(arguments.build), arguments.thorough, arguments.only) for name in names]
        for passed, sentence in pool.imap_unordered(chain, jobs):
            failed += not passed
            print(sentence, flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
