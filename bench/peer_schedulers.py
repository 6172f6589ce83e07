"""Other schedulers, and ourselves, each doing tasks that do nothing but leave a record of being done.

Each class measures whole commands, as a user would start them: the seconds from the start of the
command to its end, the reading of the definition included.  `turn` makes the work new each time.
"""
import json
import subprocess
import time

from running_daemon import BenchError, Daemon

WORKERS = 2
PATIENCE_S = 900


class PeerError(Exception):
    """A peer did not do its work; the sentence says which and how."""


class _Peer:
    name = ""

    def __init__(self, environment, build, folder):
        self.environment, self.build = environment, build
        self.folder = folder / self.name
        self.folder.mkdir()

    def version(self):
        code = f"import importlib.metadata as m; print(m.version('{self.name}'))"
        return subprocess.run([str(self.environment / "bin/python"), "-c", code], check=True,
                              capture_output=True, text=True).stdout.strip()

    def close(self):
        pass

    def _timed(self, words, folder, extra=()):
        environment = {"PATH": f"{self.environment}/bin:/usr/bin:/bin", "HOME": str(self.folder),
                       "LANG": "C.UTF-8", **dict(extra)}
        began = time.monotonic()
        with open(self.folder / "log", "wb") as log:
            done = subprocess.run(words, cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, timeout=PATIENCE_S, check=False)
        took = time.monotonic() - began
        if done.returncode != 0:
            tail = (self.folder / "log").read_text(errors="replace")[-1500:]
            raise PeerError(f"{self.name} ended with {done.returncode}: {tail}")
        return took

    def _fresh(self, work, turn):
        folder = self.folder / f"{work}-{turn}"
        folder.mkdir()
        return folder

    def _all_there(self, folder, count):
        found = sum(1 for _ in folder.glob("out/*"))
        if found != count:
            raise PeerError(f"{self.name} made {found} of {count} outputs in {folder}")


LUIGI = """import luigi

class Work(luigi.Task):
    n = luigi.IntParameter()
    def requires(self):
        return [Work(self.n - 1)] if {chained} and self.n > 0 else []
    def output(self):
        return luigi.LocalTarget(f"out/{{self.n}}")
    def run(self):
        with self.output().open("w"):
            pass

class All(luigi.WrapperTask):
    def requires(self):
        return [Work(n) for n in range({count})]
"""


class Luigi(_Peer):
    """With its scheduler in the process, which is its quickest way."""
    name = "luigi"

    def _run(self, work, count, turn, chained):
        folder = self._fresh(work, turn)
        (folder / "out").mkdir()
        (folder / "work.py").write_text(LUIGI.format(chained=chained, count=count))
        took = self._timed([str(self.environment / "bin/luigi"), "--module", "work", "All",
                            "--local-scheduler", "--workers", str(WORKERS), "--log-level", "WARNING"],
                           folder, {"PYTHONPATH": str(folder)}.items())
        self._all_there(folder, count)
        return took

    def fan_out(self, count, turn):
        return self._run("fan_out", count, turn, False)

    def chain(self, count, turn):
        return self._run("chain", count, turn, True)


class Snakemake(_Peer):
    """Rules that touch a file; no conda, no containers."""
    name = "snakemake"

    def _run(self, work, count, turn, text):
        folder = self._fresh(work, turn)
        (folder / "Snakefile").write_text(text)
        took = self._timed([str(self.environment / "bin/snakemake"), "--cores", str(WORKERS), "--quiet",
                            "all"], folder)
        self._all_there(folder, count)
        return took

    def fan_out(self, count, turn):
        return self._run("fan_out", count, turn,
                         f'rule all:\n  input: expand("out/{{n}}", n=range({count}))\n'
                         'rule work:\n  output: touch("out/{n}")\n')

    def chain(self, count, turn):
        rules = "".join(f'rule s{n}:\n' + (f'  input: "out/{n - 1}"\n' if n else "") +
                        f'  output: touch("out/{n}")\n' for n in range(count))
        return self._run("chain", count, turn, f'rule all:\n  input: "out/{count - 1}"\n' + rules)


PREFECT = """import sys
from prefect import flow, task
from prefect.task_runners import ThreadPoolTaskRunner

@task
def work(n, before=None):
    return n

@flow(task_runner=ThreadPoolTaskRunner(max_workers={workers}))
def everything():
    done = []
    for n in range({count}):
        done.append(work.submit(n, done[-1] if {chained} and done else None))
    assert [one.result() for one in done] == list(range({count}))

everything()
"""


class Prefect(_Peer):
    """With the server that it starts for the time of the flow, on SQLite."""
    name = "prefect"

    def _run(self, work, count, turn, chained):
        folder = self._fresh(work, turn)
        (folder / "work.py").write_text(
            PREFECT.format(workers=WORKERS, count=count, chained=chained))
        return self._timed([str(self.environment / "bin/python"), "work.py"], folder,
                           {"PREFECT_HOME": str(self.folder / "home"), "DO_NOT_TRACK": "1",
                            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
                            "PREFECT_LOGGING_LEVEL": "ERROR"}.items())

    def fan_out(self, count, turn):
        return self._run("fan_out", count, turn, False)

    def chain(self, count, turn):
        return self._run("chain", count, turn, True)


class Pipelined(_Peer):
    """A running daemon with two processors to give away; the file is applied, then run."""
    name = "pipelined"

    def __init__(self, environment, build, folder):
        super().__init__(environment, build, folder)
        self.daemon = Daemon(build, self.folder / "daemon", cpus=WORKERS)
        try:
            self.daemon.start()
        except (OSError, BenchError) as error:
            raise PeerError(f"pipelined: {error}") from None

    def version(self):
        printed = json.loads(self.daemon.pipectl("version", "-o", "json"))
        return str(printed.get("version", printed))

    def close(self):
        self.daemon.stop()

    def _run(self, work, count, turn, chained):
        steps = []
        for n in range(count):
            after = f'after = ["s{n - 1}"]\n' if chained and n else ""
            steps.append(f'[step.s{n}]\noperator = "bench.nothing"\n{after}seed = {n}\n'
                         f"params.round = {turn}\n")
        name = f"{work}-{turn}".replace("_", "-")
        began = time.monotonic()
        try:
            self.daemon.apply(name, f'name = "{name}"\n' + "".join(steps))
            self.daemon.run(name)
        except BenchError as error:
            raise PeerError(f"pipelined: {error}") from None
        return time.monotonic() - began

    def fan_out(self, count, turn):
        return self._run("fan_out", count, turn, False)

    def chain(self, count, turn):
        return self._run("chain", count, turn, True)


ALL = {peer.name: peer for peer in (Pipelined, Luigi, Prefect, Snakemake)}
