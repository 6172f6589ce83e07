"""What a state folder holds after the daemon died: looked at from outside, without touching it.

The database is copied with its log before it is opened, since opening it would mend it.  Knows the
tables and the layout of the store; asks no daemon.  Standard library only.
"""
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import tempfile

OPEN_RUNS = ("queued", "running", "halted", "in_review")


class Injured:
    """The records and objects of one daemon, as they lie on the disk now."""

    def __init__(self, state, store, believed=None):
        self.store = store
        self.believed = {} if believed is None else believed
        self.folder = tempfile.mkdtemp(prefix="pl-look-")
        for name in ("state.db", "state.db-wal"):
            path = os.path.join(state, name)
            if os.path.exists(path):
                shutil.copyfile(path, os.path.join(self.folder, name))
        self.there = os.path.exists(os.path.join(self.folder, "state.db"))
        self.records = sqlite3.connect(os.path.join(self.folder, "state.db")) if self.there else None
        if self.there and not self.records.execute("SELECT 1 FROM sqlite_schema WHERE name = 'runs'").fetchone():
            self.there = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.records:
            self.records.close()
        shutil.rmtree(self.folder)

    def rows(self, question, *values):
        return self.records.execute(question, values).fetchall() if self.there else []

    def problems(self):
        """Every broken promise, a sentence each."""
        if not self.there:
            return []
        wrong = [f"the database: {line}" for (line,) in self.rows("PRAGMA quick_check") if line != "ok"]
        wrong += [f"a row of {row[0]} names a row of {row[2]} that is not there"
                  for row in self.rows("PRAGMA foreign_key_check")]
        return wrong + self.bad_objects() + self.bad_states()

    def fsck(self, binary, promised=(), deep=True):
        """The product's own look at the same moment: a sentence for every violated invariant.

        The copy is what it opens, so that what lies on the disk stays as the daemon left it."""
        if not self.there:
            return [f"runs {list(promised)} were promised and there are no records"] if promised else []
        told = os.path.join(self.folder, "promised")
        with open(told, "w") as file:
            file.write("".join(f"{run}\n" for run in promised))
        words = ["--promised", told] + (["--deep"] if deep else [])
        state = os.path.join(self.folder, "state")
        os.mkdir(state)
        for name in ("state.db", "state.db-wal"):
            if os.path.exists(os.path.join(self.folder, name)):
                shutil.copyfile(os.path.join(self.folder, name), os.path.join(state, name))
        done = subprocess.run([os.path.join(binary, "pipelined"), "--state", state, "--store", self.store, "--fsck",
                               "-o", "json", *words], capture_output=True, text=True)
        try:
            rows = json.loads(done.stdout)["rows"]
        except ValueError:
            return [f"fsck ends with {done.returncode}: {done.stdout[-300:]}{done.stderr[-300:]}"]
        if [row["name"] for row in rows] != [f"I{number}" for number in range(1, 18)]:
            return [f"fsck looks at {[row['name'] for row in rows]}"]
        wrong = [f"{row['name']}: {finding}" for row in rows if row["verdict"] == "violated"
                 for finding in row["findings"][:3]]
        if done.returncode != (1 if wrong else 0):
            wrong.append(f"fsck ends with {done.returncode} though {len(wrong)} rows are violated")
        return wrong

    def bad_objects(self):
        """I2, I3: what the records name is there, whole; every object is what its name says."""
        wrong = []
        for digest, manifest in self.rows("SELECT hex(digest), manifest FROM artifacts WHERE tombstone_at IS NULL"):
            if manifest is None:
                wrong.append(f"artifact {digest[:12]} has no manifest")
                continue
            if hashlib.sha256(manifest.encode()).hexdigest() != digest.lower():
                wrong.append(f"artifact {digest[:12]} is not named by its manifest")
            for file in json.loads(manifest)["files"]:
                why = self.bad_object(file["sha256"] + (".x" if file["exec"] else ""), file["size"])
                if why:
                    wrong.append(f"{file['path']} of artifact {digest[:12]} {why}")
        for part in sorted(os.listdir(os.path.join(self.store, "objects"))):
            for rest in os.listdir(os.path.join(self.store, "objects", part)):
                why = self.bad_object(part + rest, None)
                if why:
                    wrong.append(f"object {part}{rest[:10]} {why}")
        return wrong

    def bad_object(self, name, size):
        path = os.path.join(self.store, "objects", name[:2], name[2:])
        try:
            facts = os.stat(path)
        except FileNotFoundError:
            return "is not there"
        if size is not None and facts.st_size != size:
            return f"has {facts.st_size} bytes instead of {size}"
        seen = (facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)
        if self.believed.get(name) == seen:
            return None
        with open(path, "rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() != name.split(".")[0]:
                return "has other bytes than its name says"
        self.believed[name] = seen
        return None

    def bad_states(self):
        """I6, I7, I8: one live attempt a step, ends of runs and steps agree."""
        wrong = [f"{row[1]}/{row[2]} of run {row[0]} has {row[3]} attempts that run" for row in self.rows(
            "SELECT run, step, element, count(*) FROM attempts WHERE running GROUP BY 1, 2, 3 HAVING count(*) > 1")]
        wrong += [f"run {row[0]} is over with {row[1]}/{row[2]} {row[3]}" for row in self.rows(
            "SELECT s.run, s.step, s.element, s.state FROM steps s JOIN runs r ON r.number = s.run WHERE "
            "r.state IN ('succeeded', 'failed', 'rejected', 'cancelled') AND s.state IN ('running', 'ready', 'waiting')")]
        wrong += [f"{row[1]}/{row[2]} of run {row[0]} is done without a result" for row in self.rows(
            "SELECT run, step, element FROM steps WHERE state IN ('succeeded', 'cached') AND result NOT IN "
            "(SELECT id FROM results)")]
        wrong += [f"two results of one key of {row[0]}/{row[1]} differ" for row in self.differing_results()]
        return wrong

    def differing_results(self):
        made = {}
        for key, step, element, outputs in self.rows(
                "SELECT hex(r.key), r.step, r.element, group_concat(b.port || hex(a.digest)) FROM results r "
                "JOIN bindings b ON b.result = r.id AND b.output = 1 JOIN artifacts a ON a.id = b.artifact "
                "WHERE r.key IS NOT NULL GROUP BY r.id"):
            if made.setdefault(key, outputs) != outputs:
                yield step, element

    def left_over(self):
        """I14: names in tmp/ and attempts/."""
        return [f"{part}/{name}" for part in ("tmp", "attempts") for name in os.listdir(os.path.join(self.store, part))]

    def outputs(self, pipeline):
        """(step, element, port) → the manifest, of the newest run that has it."""
        found = {}
        for step, element, port, manifest in self.rows(
                "SELECT s.step, s.element, b.port, a.manifest FROM steps s JOIN bindings b ON b.result = s.result AND "
                "b.output = 1 JOIN artifacts a ON a.id = b.artifact WHERE s.pipeline = ? AND s.state IN ('succeeded', "
                "'cached') ORDER BY s.run, s.seq", pipeline):
            found[(step, element, port)] = manifest
        return found

    def arrivals(self, pipeline):
        """span → how many arrivals of it are recorded."""
        return dict(self.rows("SELECT span, count(*) FROM arrivals WHERE pipeline = ? GROUP BY span", pipeline))
