"""Area `data`: statistics and validation of a table beside polars and DuckDB, in one process each without a daemon."""
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import time

from figure import figure, median, median_ratio

AREA = "data"
ROOT = pathlib.Path(__file__).resolve().parents[1]
ENVIRONMENT = ROOT / ".deps" / "data_peers"
LOCK = ROOT / "bench" / "data_peers.lock"
MEBIBYTE = 1 << 20
POLARS = """
import sys, polars
read = polars.read_csv if sys.argv[1].endswith("csv") else polars.read_parquet
read(sys.argv[1]).describe()
"""
DUCKDB = """
import sys, duckdb
duckdb.sql(f"SUMMARIZE SELECT * FROM '{sys.argv[1]}'").fetchall()
"""
ONE_COLUMN = """
import sys, polars
table = polars.read_parquet(sys.argv[1])
for name in table.columns:
    import os
    os.makedirs(f"{sys.argv[2]}/{name}", exist_ok=True)
    table.select(name).write_parquet(f"{sys.argv[2]}/{name}/rows.parquet")
"""


class Context:
    """How much to do, and where."""

    def __init__(self, build, folder, quick, say, long=False):
        self.build, self.folder, self.say = build, folder / AREA, say
        self.long = long
        self.rows = 200_000 if quick else 1_000_000
        self.turns = 3 if quick else 5
        self.folder.mkdir()
        self.made = 0
        prepare_peers(say)

    def peer(self, script, *words):
        return [str(ENVIRONMENT / "bin/python"), "-c", script, *map(str, words)]

    def operator(self, operator, inputs, outputs, params=None, cpus=1):
        """The words that run an operator, and the folders of its outputs by port."""
        plugin = self.build / "plugins" / (operator.split(".")[0] + ".so")
        words = [str(self.build / "bin/pipelined-worker"), "run", str(plugin), operator, "--quiet",
                 "--cpus", str(cpus), "--params", json.dumps(params or {})]
        for port, kind, folder in inputs:
            words += ["--input", f"{port}={kind}:{folder}"]
        places = {}
        for port, kind in outputs:
            self.made += 1
            places[port] = self.folder / f"out-{self.made}"
            words += ["--output", f"{port}={kind}:{places[port]}"]
        return words, places

    def table(self, name, *words, rows=None):
        """A folder with the table that bench/rows.py makes."""
        folder = self.folder / name
        if not folder.exists():
            run([sys.executable if has_pandas(sys.executable) else str(ROOT / ".deps/venv/bin/python"),
                 str(ROOT / "bench/rows.py"), str(folder), "--rows", str(rows or self.rows), *words])
        return folder


def has_pandas(python):
    return subprocess.run([python, "-c", "import pandas, pyarrow"], capture_output=True).returncode == 0


def prepare_peers(say):
    stamp = ENVIRONMENT / "lock"
    if stamp.exists() and stamp.read_text() == LOCK.read_text():
        return
    say("installing the peers into .deps/data_peers")
    shutil.rmtree(ENVIRONMENT, ignore_errors=True)
    run([sys.executable, "-m", "venv", str(ENVIRONMENT)])
    run([str(ENVIRONMENT / "bin/pip"), "install", "--quiet", "--disable-pip-version-check", "--no-deps",
         "--require-hashes", "-r", str(LOCK)])
    stamp.write_text(LOCK.read_text())


def run(words):
    """Runs to the end; its answer, and the processor seconds of it and all its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode not in (0, 3):
        raise RuntimeError(f"{' '.join(map(str, words[:4]))}: {done.stderr[-400:]}{done.stdout[-400:]}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def describe(context, folder, cpus=1):
    """Statistics and validation of delivered files: processor seconds, peak bytes, the statistics."""
    words, places = context.operator("data.statistics", [("examples", "files/1", folder)],
                                     [("statistics", "statistics/1")], cpus=cpus)
    answer, seconds = run(words)
    peak = json.loads(answer)["usage"]["memory_peak_bytes"]
    statistics = places["statistics"]
    words, _ = context.operator(
        "data.validate", [("examples", "examples/1", folder), ("statistics", "statistics/1", statistics),
                          ("previous", "statistics/1", statistics)],
        [("anomalies", "anomalies/1"), ("report", "report/1"), ("remedy", "remedy/1")])
    answer, more = run(words)
    return seconds + more, max(peak, json.loads(answer)["usage"]["memory_peak_bytes"]), statistics


def formats(context):
    """Straight from CSV and from Parquet, interleaved with polars describe and DuckDB SUMMARIZE."""
    for kind in ("csv", "parquet"):
        folder = context.table(f"table-{kind}", f"--{kind}")
        file = folder / f"rows.{kind}"
        ours, polars, duckdb, peaks = [], [], [], []
        for _ in range(context.turns):
            seconds, peak, _ = describe(context, folder)
            ours.append(seconds)
            peaks.append(peak)
            polars.append(run(context.peer(POLARS, file))[1])
            duckdb.append(run(context.peer(DUCKDB, file))[1])
            context.say(f"{kind}: {seconds:.2f} s, polars {polars[-1]:.2f} s, DuckDB {duckdb[-1]:.2f} s")
        name = f"statistics and validation of {context.rows:,} rows, {kind}"
        ratio = median_ratio(ours, polars)
        yield figure(AREA, name, median(ours), "cpu s", "≤ 1.5 × polars describe", ratio <= 1.5, "polars",
                     median(polars))
        yield figure(AREA, name, median(ours), "cpu s", "", None, "DuckDB SUMMARIZE", median(duckdb))
        yield figure(AREA, f"peak memory of that, {kind}", max(peaks) / MEBIBYTE, "MiB", "≤ 512 MiB",
                     max(peaks) <= 512 * MEBIBYTE)


def columns(context):
    """Each column alone: the unique text beside the dearest of the others."""
    table = context.table("table-parquet", "--parquet") / "rows.parquet"
    alone = context.folder / "columns"
    run(context.peer(ONE_COLUMN, table, alone))
    found = {}
    for _ in range(context.turns):
        for folder in sorted(alone.iterdir()):
            words, _ = context.operator("data.statistics", [("examples", "files/1", folder)],
                                        [("statistics", "statistics/1")])
            usage = json.loads(run(words)[0])["usage"]
            found.setdefault(folder.name, []).append(usage["cpu_ms"])
    unique = median(found.pop("trip_id"))
    name, dearest = max(((name, median(values)) for name, values in found.items()), key=lambda one: one[1])
    context.say(f"trip_id {unique} ms, then {name} {dearest} ms")
    yield figure(AREA, "the unique text column alone", unique, "cpu ms", "≤ the dearest other column",
                 unique <= dearest, name, dearest)


def elements(context):
    """Two tables one after the other and at the same time, one processor each."""
    folder = context.table("table-parquet", "--parquet")
    gains = []
    for _ in range(context.turns):
        pair = [context.operator("data.statistics", [("examples", "files/1", folder)],
                                 [("statistics", "statistics/1")])[0] for _ in range(4)]
        begun = time.monotonic()
        for words in pair[:2]:
            run(words)
        one_by_one = time.monotonic() - begun
        begun = time.monotonic()
        started = [subprocess.Popen(words, stdout=subprocess.DEVNULL) for words in pair[2:]]
        if any([process.wait() for process in started]):
            raise RuntimeError("data.statistics failed")
        gains.append(one_by_one / (time.monotonic() - begun))
    enough = os.cpu_count() >= 2
    yield figure(AREA, "two elements with one cpu each over one", median(gains), "times", "≥ 1.7",
                 median(gains) >= 1.7 if enough else None)


def merge(context):
    """Statistics of 365 days into those of the year."""
    days = context.table("days", "--parquet", "--days", "365")
    parts = []
    for file in sorted(days.glob("*.parquet")):
        folder = context.folder / "day" / file.stem
        folder.mkdir(parents=True)
        os.link(file, folder / "rows.parquet")
        words, places = context.operator("data.statistics", [("examples", "files/1", folder)],
                                         [("statistics", "statistics/1")])
        run(words)
        parts.append(("statistics", "statistics/1", places["statistics"]))
    found = []
    for _ in range(context.turns):
        words, _ = context.operator("data.merge_statistics", parts, [("statistics", "statistics/1")])
        found.append(json.loads(run(words)[0])["usage"]["cpu_ms"])
    yield figure(AREA, "merging 365 daily statistics of 18 columns", median(found), "ms", "≤ 100 ms",
                 median(found) <= 100)


def flights(context):
    """Three million flights whole, where they are."""
    files = sorted((ROOT / ".deps" / "data").glob("**/flights-3m.parquet"))
    if files:
        seconds, peak, _ = describe(context, files[0].parent)
        yield figure(AREA, "flights-3m.parquet whole", seconds, "cpu s", "", None)
        yield figure(AREA, "peak memory of that", peak / MEBIBYTE, "MiB", "≤ 512 MiB", peak <= 512 * MEBIBYTE)


def long(context):
    """Thirty times as many rows in the same memory."""
    if not context.long:
        return
    folder = context.table("long", "--parquet")
    for part in range(29):
        os.link(folder / "rows.parquet", folder / f"rows-{part:02d}.parquet")
    seconds, peak, _ = describe(context, folder, cpus=os.cpu_count())
    yield figure(AREA, f"{30 * context.rows:,} rows", seconds, "cpu s", "", None)
    yield figure(AREA, "peak memory of that", peak / MEBIBYTE, "MiB", "≤ 512 MiB", peak <= 512 * MEBIBYTE)


PARTS = {"formats": formats, "columns": columns, "elements": elements, "merge": merge, "flights": flights,
         "long": long}


def measure(context, parts):
    for name, part in PARTS.items():
        if not parts or name in parts:
            yield from part(context)
