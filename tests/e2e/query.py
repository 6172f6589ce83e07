#!/usr/bin/env python3
"""Databases as sources: every row in exactly one span, whatever dies; and what is said when asking fails.

usage: query.py --build BUILD [--jobs N] [NAME…]

Names: sqlite, postgresql (the daemon is killed at each failpoint that a poll comes by, while rows are
being written; in the end the ids in all spans are the ids in the database, each once), late (rows
whose transactions commit behind later ones), server (the server itself is killed), types and errors.
Needs a real PostgreSQL server (apt: postgresql) and Python with pyarrow (.deps/venv).
"""
import argparse
import datetime
import glob
import math
import multiprocessing
import os
import pwd
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import traceback

import pyarrow.parquet as parquet

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path[:0] = [os.path.join(ROOT, "tools"), os.path.dirname(os.path.abspath(__file__))]
from injured import Injured  # noqa: E402
from product import Product, wait_for  # noqa: E402

PIPELINE = """name = "shop"
[source.orders]
kind = "query"
{place}
query = "{query}"
watermark = "id"
every = "{every}"
{more}
[step.copy]
foreach = "source.orders"
operator = "command.run"
in.orders = "each"
params.argv = ["cp", "-r", "{{in.orders}}", "{{out.copy}}"]
out.copy = "files/1"
"""
# Where a daemon that is killed does nothing new for a poll, or where it only comes without one.
ELSEWHERE = ("stop.", "outbox.", "reply.", "delivery.", "seen.", "intake.", "watch.", "text.", "database.",
             "ballast.", "tree.", "removal.", "object.quarantine", "object.touch", "object.verify",
             "leftovers.", "host.kill", "start.", "store.probe", "log.", "file.write", "attempt.reuse", "attempt.clear")


class Server:
    """A PostgreSQL server of its own, on a socket in a folder of its own, with a password."""

    def __init__(self):
        self.place = tempfile.mkdtemp(prefix="pl-pg-")
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            shutil.chown(self.place, self.user)
        os.chmod(self.place, 0o755)
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        assert found, "there is no PostgreSQL server here; tools/bootstrap --tests installs it"
        self.bin = found[-1]
        with open(os.path.join(self.place, "password"), "w") as file:
            file.write("correct horse\n")
        os.chmod(file.name, 0o644)
        self.call("initdb", "-D", self.data, "-U", "shop", "--auth=scram-sha-256", "-E", "UTF8", "--locale=C",
                  "--pwfile", file.name, "--no-sync")
        self.process = None
        self.start()
        self.sql("CREATE DATABASE shop", "postgres")

    @property
    def data(self):
        return os.path.join(self.place, "data")

    def connection(self, password="correct horse", database="shop", host=None):
        return f"host={host or self.place} user=shop dbname={database} password='{password}'"

    def call(self, program, *words):
        subprocess.run([os.path.join(self.bin, program), *words], check=True, stdout=subprocess.DEVNULL,
                       user=self.user, group=self.user and pwd.getpwnam(self.user).pw_gid, cwd=self.place)

    def start(self):
        self.log = open(os.path.join(self.place, "log"), "ab")
        self.process = subprocess.Popen(
            [os.path.join(self.bin, "postgres"), "-D", self.data, "-k", self.place, "-c", "listen_addresses=",
             "-c", "fsync=off"], stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL, user=self.user,
            group=self.user and pwd.getpwnam(self.user).pw_gid, cwd=self.place, start_new_session=True)
        assert wait_for(lambda: self.try_sql("SELECT 1") == "1", 60), open(self.log.name).read()[-2000:]

    def psql(self, database):
        return ["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", self.connection(database=database)]

    def try_sql(self, statement, database="postgres"):
        done = subprocess.run(self.psql(database) + ["-c", statement], capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else None

    def sql(self, statement, database="shop"):
        done = subprocess.run(self.psql(database) + ["-c", statement], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def session(self):
        """psql that reads statements as they come: for a transaction that stays open."""
        return subprocess.Popen(self.psql("shop"), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)

    def kill(self):
        """The server and its processes die at once; what they shared is cleared by the next start."""
        self.process.kill()
        self.process.wait()
        # Its children notice that they are orphans and end; until then a new one may not start.
        assert wait_for(lambda: not self.processes(), 30), "processes of the server outlive it"

    def processes(self):
        found = []
        for path in glob.glob("/proc/[0-9]*/cwd"):
            try:
                if os.readlink(path) == self.data:
                    found.append(path)
            except OSError:
                pass
        return found

    def end(self):
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self.log.close()
        shutil.rmtree(self.place, ignore_errors=True)


class SqliteShop:
    """Orders in an SQLite file."""
    lag = ""

    def __init__(self, folder):
        self.path = os.path.join(folder, "shop.db")
        self.place = 'database = "sqlite"\npath = "shop.db"'
        self.secrets = ""
        self.run("PRAGMA journal_mode=WAL")
        self.run("CREATE TABLE orders (id INTEGER PRIMARY KEY AUTOINCREMENT, amount REAL, note TEXT)")

    def run(self, statement):
        connection = sqlite3.connect(self.path, timeout=30)
        with connection:
            rows = connection.execute(statement).fetchall()
        connection.close()
        return rows

    def add(self, count):
        self.run("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) "
                 "INSERT INTO orders (amount, note) SELECT i * 0.1, 'order ' || i FROM n" % count)

    def ids(self):
        return [row[0] for row in self.run("SELECT id FROM orders ORDER BY id")]

    def end(self):
        pass


class PostgresqlShop:
    """Orders in a PostgreSQL server."""
    lag = 'lag = "0s"'  # one writer, so commits come in the order of ids

    def __init__(self, folder):
        self.server = Server()
        self.place = 'database = "postgresql"\nsecret = "shop"'
        path = os.path.join(folder, "connection")
        with open(path, "w") as file:
            file.write(self.server.connection() + "\n")
        self.secrets = f'[secrets]\nshop = {{ file = "{path}" }}\n'
        self.server.sql("CREATE TABLE orders (id bigserial PRIMARY KEY, amount numeric, note text)")

    def add(self, count):
        self.server.sql(f"INSERT INTO orders (amount, note) SELECT i * 0.1, 'order ' || i FROM generate_series(1, {count}) i")

    def ids(self):
        return [int(line) for line in self.server.sql("SELECT id FROM orders ORDER BY id").split()]

    def end(self):
        self.server.end()


class Daemon(Product):
    """A daemon whose source is a database."""

    def __init__(self, build, shop_kind, every="300ms", more="", query="SELECT * FROM orders"):
        super().__init__(tempfile.mkdtemp(prefix="pl-query-"), build)
        self.folder = os.path.join(self.place, "shop")
        os.mkdir(self.folder)
        self.shop = shop_kind(self.folder)
        self.write_config(self.place, self.shop.secrets)
        self.write_pipeline(every, more, query)

    def write_pipeline(self, every="300ms", more="", query="SELECT * FROM orders"):
        with open(os.path.join(self.folder, "pipeline.toml"), "w") as file:
            file.write(PIPELINE.format(place=self.shop.place, every=every, query=query, more=more or self.shop.lag))

    def launch_with(self, fault):
        hits = os.path.join(self.place, "hits")
        if os.path.exists(hits):
            os.unlink(hits)
        environment = dict(os.environ, PIPELINED_FAULT_HITS=hits, PIPELINED_FAULT_SEED="1")
        environment["PIPELINED_FAULT"] = fault
        with open(os.path.join(self.place, "daemon.log"), "ab") as log:
            log.write(f"--- {fault}\n".encode())
            log.flush()
            self.daemon = subprocess.Popen(
                [f"{self.bin}/pipelined", "--allow-faults", "--config", os.path.join(self.place, "pipelined.toml")],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True, env=environment)

    def hit_places(self):
        path = os.path.join(self.place, "hits")
        if not os.path.exists(path):
            return set()
        with open(path) as file:
            return set(file.read().split())

    def apply(self):
        self.pipectl("apply", self.folder)

    def source(self):
        found = [s for s in self.ask("sources")["sources"] if s["source"] == "orders"]
        return found[0] if found else {"trouble": "no source", "arrivals": 0, "newest_span": ""}

    def kill(self):
        if self.daemon.poll() is None:
            self.daemon.kill()
        self.daemon.wait(30)

    def watermark(self):
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store")) as found:
            rows = found.rows("SELECT watermark FROM polls")
            return int(rows[0][0] or 0) if rows else 0

    def caught_up(self, seconds=60):
        wanted = self.shop.ids()[-1]
        assert wait_for(lambda: self.watermark() == wanted, seconds), \
            f"watermark {self.watermark()} of {wanted}: {self.source()}\n{self.log()[-1500:]}"

    def rows(self):
        """(span, version, ids) of everything that arrived, read from the artifacts themselves."""
        with Injured(os.path.join(self.place, "state"), os.path.join(self.place, "store")) as found:
            arrivals = found.rows("SELECT a.span, a.version, lower(hex(o.digest)) FROM arrivals a "
                                  "JOIN artifacts o ON o.id = a.artifact ORDER BY a.number")
        spans = []
        for span, version, digest in arrivals:
            target = os.path.join(self.place, "export")
            shutil.rmtree(target, ignore_errors=True)
            self.pipectl("artifact", "export", digest, target)
            ids = []
            for part in sorted(glob.glob(target + "/*.parquet")):
                ids += parquet.read_table(part).column("id").to_pylist()
            spans.append((span, version, ids))
        return spans

    def must_be_exact(self):
        """The ids of all spans are the ids of the database, each once, and spans say what they hold."""
        taken, there = [], self.shop.ids()
        for span, version, ids in self.rows():
            assert version == 1, f"span {span} came twice"
            named = f"{ids[0]}-{ids[-1]}" if ids[0] != ids[-1] else f"{ids[0]}"
            assert span == named and ids == sorted(ids), f"span {span} holds {named}"
            taken += ids
        assert len(taken) == len(set(taken)), f"{len(taken) - len(set(taken))} rows are there twice"
        assert sorted(taken) == there, f"missing: {sorted(set(there) - set(taken))[:5]}"
        return len(taken)

    def end(self):
        if self.daemon and self.daemon.poll() is None:
            self.daemon.kill()
            self.daemon.wait()
        self.shop.end()
        shutil.rmtree(self.place, ignore_errors=True)


def killed_at_every_failpoint(build, shop_kind):
    daemon = Daemon(build, shop_kind)
    stop = threading.Event()

    def write():
        number = 0
        while not stop.is_set():
            number += 1
            daemon.shop.add(1 + number % 7)
            time.sleep(0.1)

    try:
        daemon.shop.add(50)
        daemon.launch_with("")
        wait_for(lambda: daemon.pipectl("status", expect=None).returncode == 0, 30)
        daemon.apply()
        daemon.caught_up()
        daemon.shop.add(5)
        daemon.caught_up()
        places = [p for p in daemon.hit_places() if not p.startswith(ELSEWHERE)]
        daemon.kill()
        for needed in ("poll.start", "poll.ended", "poll.stored", "poll.posted", "promotion.done", "turn.commit",
                       "turn.committed", "host.ended"):
            assert needed in places, f"a poll does not come by {needed}: {sorted(places)}"
        writer = threading.Thread(target=write)
        writer.start()
        missed = []
        for visit in (1, 2):
            for place in sorted(places):
                daemon.launch_with(f"{place}:kill:{visit}")
                if not wait_for(lambda: daemon.daemon.poll() is not None, 6):
                    missed.append(f"{place}:{visit}")
                daemon.kill()
        stop.set()
        writer.join()
        only_once = [m for m in missed if m.endswith(":1")]
        assert not only_once, f"never died at {only_once}"
        daemon.launch_with("")
        wait_for(lambda: daemon.pipectl("status", expect=None).returncode == 0, 30)
        daemon.caught_up()
        count = daemon.must_be_exact()
        return f"{2 * len(places) - len(missed)} kills at {len(places)} failpoints, {count} rows, each in one span"
    finally:
        stop.set()
        daemon.end()


def late_commits(build):
    """A row with a smaller id that is committed behind a greater one: `lag` waits for it."""
    daemon = Daemon(build, PostgresqlShop, more='lag = "3s"')
    try:
        server = daemon.shop.server
        daemon.shop.add(3)
        daemon.start()
        daemon.apply()
        daemon.caught_up()
        slow = server.session()
        slow.stdin.write("BEGIN; INSERT INTO orders (note) VALUES ('late');\n")
        slow.stdin.flush()
        assert wait_for(lambda: server.sql("SELECT last_value FROM orders_id_seq") == "4"), "no id was taken"
        daemon.shop.add(1)  # id 5, committed at once
        time.sleep(1)
        slow.stdin.write("COMMIT;\n")
        slow.stdin.close()
        slow.wait(10)
        daemon.caught_up()
        count = daemon.must_be_exact()
        return f"{count} rows, one of them committed a second behind a later one"
    finally:
        daemon.end()


def server_dies(build):
    """The server is killed again and again while it is asked."""
    daemon = Daemon(build, PostgresqlShop, every="100ms")
    try:
        daemon.shop.add(20000)
        daemon.start()
        daemon.apply()
        for _ in range(3):
            time.sleep(0.35)
            daemon.shop.server.kill()
            assert wait_for(lambda: "PostgreSQL" in daemon.source()["trouble"], 30), daemon.source()
            daemon.shop.server.start()
            daemon.shop.add(500)
        daemon.caught_up()
        assert daemon.source()["trouble"] == "", daemon.source()
        count = daemon.must_be_exact()
        return f"{count} rows over 3 deaths of the server"
    finally:
        daemon.end()


def errors(build):
    """What people are told when asking fails, and that it goes on when it is mended."""
    daemon = Daemon(build, PostgresqlShop)
    told = []

    def trouble(words, **pipeline):
        daemon.write_pipeline(**pipeline)
        daemon.apply()
        assert wait_for(lambda: words in daemon.source()["trouble"], 30), \
            f"wanted '{words}', found: {daemon.source()['trouble']}"
        sentence = daemon.source()["trouble"]
        assert "correct horse" not in sentence and "wrong" not in sentence.split("'"), sentence
        told.append(sentence)

    def connect(text):
        with open(os.path.join(daemon.folder, "connection"), "w") as file:
            file.write(text)

    server = daemon.shop.server
    try:
        daemon.start()
        connect(server.connection(host="/nowhere"))
        trouble("connect to PostgreSQL: connection to server on socket \"/nowhere", query="SELECT id FROM orders")
        assert wait_for(lambda: any("cannot be polled" in a["sentence"] for a in daemon.ask("alerts")["alerts"]), 30)
        connect(server.connection(password="a wrong one"))
        trouble("password authentication failed", query="SELECT id FROM orders WHERE true")
        connect(server.connection(database="nothing"))
        trouble('database "nothing" does not exist', query="SELECT id FROM orders WHERE 1 = 1")
        connect(server.connection())
        trouble('relation "nothing" does not exist', query="SELECT id FROM nothing")
        trouble("syntax error", query="SELEC id FROM orders")
        trouble("is no column of the query", query="SELECT note FROM orders")
        trouble("has no exact order", query="SELECT to_json(id) AS id FROM orders")
        server.sql("INSERT INTO orders VALUES (1, 1, 'one')")
        trouble("1 row has no value in the watermark", query="SELECT nullif(id, 1) AS id FROM orders")
        daemon.write_pipeline()
        daemon.apply()
        daemon.caught_up()
        daemon.must_be_exact()
        assert any("can be polled again" in a["sentence"] for a in daemon.ask("alerts")["alerts"])
        assert "correct horse" not in daemon.log() and "a wrong one" not in daemon.log()
        return f"{len(told)} sentences, an alert when it began and one when it was over"
    finally:
        daemon.end()


def types(build):
    """Every type of PostgreSQL as what it is, read back with pyarrow."""
    daemon = Daemon(build, PostgresqlShop)
    try:
        daemon.shop.server.sql("""DROP TABLE orders; CREATE TABLE orders (
            id bigint, small smallint, price numeric(20,4), ratio double precision, ok boolean, day date,
            at timestamp, seen timestamptz, name varchar(20), raw bytea, extra jsonb, tags text[]);
            INSERT INTO orders VALUES
            (1, -3, 12.3400, 0.1, true, '2024-02-29', '2024-01-05 08:30:00.25', '2024-01-05 08:30:00+02',
             'Zürich', '\\x00ff', '{"a": 1}', '{x,"y z"}'),
            (9223372036854775806, 3, 'NaN', '-Infinity', false, NULL, NULL, '2024-07-01 00:00:00.000001+00', '', NULL,
             NULL, NULL)""")
        daemon.start()
        daemon.apply()
        daemon.caught_up()
        daemon.must_be_exact()
        (part,) = glob.glob(daemon.place + "/export/*.parquet")
        table = parquet.read_table(part)
        kinds = {field.name: str(field.type) for field in table.schema}
        assert kinds == {"id": "int64", "small": "int64", "price": "double", "ratio": "double", "ok": "bool",
                         "day": "date32[day]", "at": "timestamp[us]", "seen": "timestamp[us]", "name": "string",
                         "raw": "string", "extra": "string", "tags": "string"}, kinds
        one, two = table.to_pylist()
        when = datetime.datetime
        wanted = {"id": 1, "small": -3, "price": 12.34, "ratio": 0.1, "ok": True, "day": datetime.date(2024, 2, 29),
                  "at": when(2024, 1, 5, 8, 30, 0, 250000), "seen": when(2024, 1, 5, 6, 30), "name": "Zürich",
                  "raw": "\\x00ff", "extra": '{"a": 1}', "tags": '{x,"y z"}'}
        assert one == wanted, one
        assert math.isnan(two["price"]) and two["ratio"] == -math.inf and two["id"] == 2**63 - 2, two
        assert two["ok"] is False and two["name"] == "" and two["seen"] == when(2024, 7, 1, 0, 0, 0, 1), two
        assert all(two[name] is None for name in ("day", "at", "raw", "extra", "tags")), two
        return f"{len(kinds)} types"
    finally:
        daemon.end()


CASES = {
    "types": types,
    "sqlite": lambda build: killed_at_every_failpoint(build, SqliteShop),
    "postgresql": lambda build: killed_at_every_failpoint(build, PostgresqlShop),
    "late": late_commits,
    "server": server_dies,
    "errors": errors,
}


def run_case(given):
    name, build = given
    begun = time.monotonic()
    try:
        said = CASES[name](build)
    except BaseException:  # a case that ends with sys.exit has failed too
        return name, traceback.format_exc(), time.monotonic() - begun
    return name, None, f"{said} ({time.monotonic() - begun:.0f} s)"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    names = given.names or list(CASES)
    failed = 0
    with multiprocessing.Pool(given.jobs) as pool:
        for name, wrong, said in pool.imap_unordered(
                run_case, [(name, os.path.abspath(given.build)) for name in names], chunksize=1):
            failed += wrong is not None
            print(f"{'FAILED' if wrong else 'passed'}  {name}: {wrong or said}", flush=True)
    print(f"{len(names) - failed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
