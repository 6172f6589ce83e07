"""A daemon of our own on a folder of our own, and the ways to ask it."""
import http.client
import json
import os
import pathlib
import signal
import socket
import subprocess
import time
import urllib.parse


class BenchError(Exception):
    """The benchmark itself went wrong; the sentence says how."""


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=600)
        self._path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Daemon:
    """`with Daemon(build, folder) as daemon:`; restart() keeps the state."""

    def __init__(self, build, folder, cpus=64, sandbox="required"):
        self.build, self.folder = pathlib.Path(build), pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.state = self.folder / "state"
        self.socket = str(self.folder / "s.sock")
        self.config = self.folder / "pipelined.toml"
        self.config.write_text(f'state = "{self.state}"\nsocket = "{self.socket}"\n'
                               f'plugins = ["{self.build}/example_plugins"]\nlog_level = "warning"\n'
                               f"[capacity]\ncpus = {cpus}\n[attempts]\nsandbox = \"{sandbox}\"\n")
        self.process = None
        self._connection = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()

    def start(self):
        """Returns the seconds until it answered."""
        began = time.monotonic()
        with open(self.folder / "daemon.log", "ab") as log:
            self.process = subprocess.Popen(
                [str(self.build / "bin/pipelined"), "--config", str(self.config)],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while True:
            if self.process.poll() is not None:
                raise BenchError("the daemon ended at its start; its log: " + self.log_tail())
            try:
                self.get("/readyz")
                return time.monotonic() - began
            except (OSError, http.client.HTTPException, BenchError):
                if time.monotonic() - began > 60:
                    raise BenchError("the daemon did not answer within 60 s") from None
                time.sleep(0.005)

    def stop(self):
        self._connection = None
        if self.process is None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(timeout=60)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def log_tail(self):
        return (self.folder / "daemon.log").read_text(errors="replace")[-2000:]

    def get(self, path):
        return self._ask("GET", path, None)

    def post(self, path, body):
        return self._ask("POST", path, json.dumps(body))

    def _ask(self, method, path, body):
        if self._connection is None:
            self._connection = _SocketConnection(self.socket)
        try:
            self._connection.request(method, path, body, {"Content-Type": "application/json"})
            reply = self._connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            self._connection = None
            raise
        if reply.status >= 300:
            raise BenchError(f"{method} {path}: {reply.status} {content[:500].decode(errors='replace')}")
        kind = reply.headers.get("Content-Type", "")
        return json.loads(content) if "json" in kind else content.decode()

    def pipectl(self, *words, expect=(0,)):
        done = subprocess.run([str(self.build / "bin/pipectl"), *words, "--socket", self.socket],
                              capture_output=True, text=True, check=False)
        if done.returncode not in expect:
            raise BenchError(f"pipectl {' '.join(words)} ended with {done.returncode}: "
                             f"{done.stderr[-1000:]}")
        return done.stdout

    def apply(self, name, text):
        """A pipeline in a folder of its own below ours; returns that folder."""
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        (folder / "pipeline.toml").write_text(text)
        self.pipectl("apply", str(folder), "--quiet")
        return folder

    def wait_for_spans(self, pipeline, count, patience_s=600):
        until = time.monotonic() + patience_s
        seen = -1
        while time.monotonic() < until:
            seen = self._count_spans(pipeline)
            if seen >= count:
                return
            time.sleep(0.5)
        raise BenchError(f"{pipeline} has {seen} of {count} spans after {patience_s} s")

    def _count_spans(self, pipeline):
        total, offset = 0, 0
        while True:
            query = urllib.parse.urlencode({"pipeline": pipeline, "limit": 1000, "offset": offset})
            reply = self.get("/api/v1/spans?" + query)
            total += len(reply["spans"])
            if len(reply["spans"]) < 1000:
                return total
            offset += 1000

    def run(self, pipeline, *words):
        """Runs it to its end with pipectl; returns the seconds."""
        began = time.monotonic()
        self.pipectl("run", pipeline, *words, "--wait", "--timeout", "30m", "--quiet")
        return time.monotonic() - began

    def cpu_seconds(self):
        """What the daemon itself has spent on its processors so far."""
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(") ", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self):
        """Resident memory of the daemon itself, in MB."""
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1000
        raise BenchError("the daemon's memory cannot be read")
