"""Area `ingest`: delivered files into examples, in one process without a daemon, beside pyarrow."""
import json
import os
import pathlib
import shutil
import subprocess
import sys

import figure as figures
from running_daemon import BenchError

AREA = "ingest"
MEMORY_MOST = 512 * 1024 * 1024
# pyarrow infers types from the first block alone, reads with one thread and writes what we write.
PEER = """
import sys, pyarrow as pa, pyarrow.csv, pyarrow.parquet
pa.set_cpu_count(1)
options = pa.csv.ReadOptions(use_threads=False)
reader = pa.csv.open_csv(sys.argv[1], read_options=options)
with pa.parquet.ParquetWriter(sys.argv[2], reader.schema, compression="zstd", compression_level=3) as out:
    for batch in reader:
        out.write_batch(batch)
"""


def timed(words):
    """Seconds on the clock, CPU seconds and peak bytes of one process."""
    read, write = os.pipe()
    code = ("import json,os,resource,subprocess,sys,time\nbegin=time.monotonic()\n"
            "done=subprocess.run(sys.argv[2:],stdout=subprocess.DEVNULL)\n"
            "used=resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "os.write(int(sys.argv[1]),json.dumps([time.monotonic()-begin,"
            "used.ru_utime+used.ru_stime,used.ru_maxrss*1024]).encode())\n"
            "sys.exit(done.returncode)")
    try:
        subprocess.run([sys.executable, "-c", code, str(write), *map(str, words)], check=True,
                       pass_fds=[write])
        return json.loads(os.read(read, 1000))
    finally:
        os.close(read)
        os.close(write)


def ingest(context, path, cpus=1):
    delivery = context.folder / "delivery"
    shutil.rmtree(delivery, ignore_errors=True)
    delivery.mkdir()
    os.link(path, delivery / path.name)
    out = context.folder / "out"
    shutil.rmtree(out, ignore_errors=True)
    return timed([context.build / "bin" / "run_data_operator", "ingest.files", "--cpus", str(cpus),
                  "--input", "files", "files/1", delivery, "--output", "examples", "examples/1", out])


def text(context):
    """CSV and JSON lines: CPU seconds, peak memory, two processors against one."""
    csv, json_lines = context.write_rows()
    rows = f"{context.rows:,} rows × 18 columns"
    ours, theirs, memory, speedup, lines = [], [], [], [], []
    for _ in range(context.turns):
        wall, cpu, peak = ingest(context, csv)
        ours.append(cpu)
        theirs.append(timed([sys.executable, "-c", PEER, csv, context.folder / "p.parquet"])[1])
        wall_of_two, _, peak_of_two = ingest(context, csv, cpus=2)
        memory.append(max(peak, peak_of_two))
        speedup.append(wall / wall_of_two)
        lines.append(ingest(context, json_lines)[1])
        context.say(f"CSV {ours[-1]:.2f} s, pyarrow {theirs[-1]:.2f} s, JSON {lines[-1]:.2f} s")
    ratio = figures.median_ratio(ours, theirs)
    yield figures.figure(AREA, f"CSV, {rows}, CPU", figures.median(ours), "s", "≤ 1.5 × pyarrow",
                         ratio <= 1.5, "pyarrow", figures.median(theirs))
    yield figures.figure(AREA, f"JSON lines, {rows}, CPU", figures.median(lines), "s", "", None)
    yield figures.figure(AREA, "CSV, peak memory, one and two processors",
                         figures.median(memory) / 2**20, "MiB", "≤ 512 MiB",
                         figures.median(memory) <= MEMORY_MOST)
    yield figures.figure(AREA, "CSV, two processors against one", figures.median(speedup), "×", "",
                         None)


PARTS = {"text": text}


class Context:
    """How much to do, and where."""

    def __init__(self, build, folder, quick, say):
        self.build, self.folder, self.say = build, pathlib.Path(folder), say
        self.rows = 200_000 if quick else 1_000_000
        self.turns = 3 if quick else 5

    def write_rows(self):
        """The paths of the table as CSV and as JSON lines."""
        try:
            import rows
        except ImportError as missing:
            raise BenchError(f"{missing}; run it with .deps/venv/bin/python") from missing
        table = rows.make(self.rows)
        csv, lines = self.folder / "rows.csv", self.folder / "rows.jsonl"
        table.to_csv(csv, index=False)
        table.to_json(lines, orient="records", lines=True)
        return csv, lines


def measure(context, parts):
    if not (context.build / "bin" / "run_data_operator").exists():
        raise BenchError("run_data_operator is not there; build the tests first")
    for name, part in PARTS.items():
        if not parts or name in parts:
            yield from part(context)
