"""A daemon on a folder of its own, and pipectl beside it: for the quickstart and the tests.

Knows how the programs are started and asked, not what they run.  Standard library only.
"""
import json
import os
import re
import signal
import subprocess
import sys
import time


class Product:
    """One state folder, the daemon on it (or none), and the build that both programs come from."""

    def __init__(self, place, build):
        self.place = place
        self.bin = os.path.join(build, "bin")
        self.plugins = os.path.join(build, "plugins")
        self.daemon = None

    def write_config(self, place, more=""):
        with open(os.path.join(place, "pipelined.toml"), "w") as file:
            file.write(f'state = "{place}/state"\nstore = "{place}/store"\nsocket = "{place}/socket"\n'
                       f'plugins = ["{self.plugins}"]\nworker = "{self.bin}/pipelined-worker"\n{more}')

    def launch(self, place=None):
        """Starts the daemon and returns at once."""
        self.place = place or self.place
        with open(os.path.join(self.place, "daemon.log"), "ab") as log:
            self.daemon = subprocess.Popen(
                [f"{self.bin}/pipelined", "--config", os.path.join(self.place, "pipelined.toml")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        with open(os.path.join(self.place, "daemon.pid"), "w") as file:
            file.write(str(self.daemon.pid))

    def log(self):
        with open(os.path.join(self.place, "daemon.log"), errors="replace") as file:
            return file.read()

    def start(self, place=None):
        """Starts the daemon and waits until it answers."""
        self.launch(place)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and self.daemon.poll() is None:
            if self.pipectl("status", "-o", "json", quiet=True, expect=None).returncode == 0:
                return
            time.sleep(0.02)
        sys.exit(f"the daemon did not start:\n{self.log()[-3000:]}")

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        self.daemon.wait(30)

    def on_unexpected(self, sentence, seen):
        """A command ended otherwise than expected; the quickstart counts it as a claim."""
        raise AssertionError(f"{sentence}: {seen}")

    def pipectl(self, *words, quiet=True, expect=0):
        """Runs pipectl; shows the command and its output unless quiet; expect None: any exit code."""
        if not quiet:
            shown = " ".join(w if re.fullmatch(r"[\w./=+-]+", w) else "'" + w + "'" for w in words)
            print(f"\n$ pipectl {shown}", flush=True)
        environment = dict(os.environ, PIPELINED_SOCKET=os.path.join(self.place, "socket"))
        done = subprocess.run([f"{self.bin}/pipectl", *words], capture_output=True, text=True, env=environment)
        if not quiet:
            print("\n".join("  " + line for line in (done.stdout + done.stderr).rstrip().split("\n")), flush=True)
        if expect is not None and done.returncode != expect:
            self.on_unexpected(f"pipectl {' '.join(words)} ends with {expect}",
                               f"{done.returncode}: {done.stdout[-500:]}{done.stderr[-500:]}")
        return done

    def ask(self, *words):
        done = self.pipectl(*words, "-o", "json", expect=None)
        try:
            return json.loads(done.stdout)
        except ValueError:
            sys.exit(f"pipectl {' '.join(words)} gave no JSON: {done.stdout}{done.stderr}\n{self.log()[-2000:]}")

    def newest(self):
        runs = self.ask("runs", "--limit", "1")["runs"]
        return runs[0]["number"] if runs else 0

    def rest(self, number):
        """Waits until the run rests; its details."""
        self.pipectl("show", str(number), "--wait", "--timeout", "300s", expect=None)
        return self.ask("show", str(number))

    def run_after(self, before, seconds=60):
        """Waits for a run with a higher number, then until it rests; its details, or None."""
        return self.rest(self.newest()) if wait_for(lambda: self.newest() > before, seconds) else None


def wait_for(what, seconds=15):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if what():
            return True
        time.sleep(0.05)
    return False


def step_path(step):
    return step["step"] + ("/" + step["element"] if step["element"] else "")


def find(detail, name):
    return next(s for s in detail["steps"] if step_path(s) == name)


def ran(detail):
    """Paths of the steps that were neither reused nor skipped nor still wait."""
    return sorted(step_path(s) for s in detail["steps"] if s["state"] not in ("cached", "skipped", "waiting"))


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children_of(pid):
    """All descendants of a process."""
    out = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True).stdout
    parents = {}
    for line in out.split("\n"):
        if line.strip():
            child, parent = map(int, line.split())
            parents.setdefault(parent, []).append(child)
    found, stack = [], [pid]
    while stack:
        for child in parents.get(stack.pop(), []):
            found.append(child)
            stack.append(child)
    return found
