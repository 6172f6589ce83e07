"""Fills a stopped daemon's database with runs of the past: copies of one that it made itself."""
import os
import sqlite3


def fill(database, count):
    """Copies the newest ended run until there are `count` runs.

    Each copy has the run's steps, and for its first step an attempt and a result of its own, as a
    run would have that did one thing anew and reused the rest.
    """
    store = sqlite3.connect(database)
    store.execute("PRAGMA foreign_keys=OFF")
    (have, source) = store.execute("SELECT count(*), max(number) FROM runs").fetchone()
    (seq,) = store.execute("SELECT value FROM counters WHERE name='seq'").fetchone()
    (result_id,) = store.execute("SELECT max(id) FROM results").fetchone()
    copy = _Copier(store, source)
    for number in range(source + 1, source + 1 + count - have):
        seq += 10
        result_id += 1
        copy.one(number, seq, result_id)
    store.execute("UPDATE counters SET value=? WHERE name='seq'", (seq + 10,))
    store.commit()
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()


class _Copier:
    def __init__(self, store, source):
        self.store = store
        self.rows = {table: self._read(table, where, source) for table, where in [
            ("runs", "number"), ("run_spans", "run"), ("steps", "run"), ("attempts", "run"),
            ("results", "run"), ("bindings", None)]}
        if not self.rows["attempts"][1] or not self.rows["results"][1]:
            raise ValueError("the run to copy made nothing")

    def _read(self, table, where, source):
        if where:
            cursor = self.store.execute(f"SELECT * FROM {table} WHERE {where}=?", (source,))
        else:
            cursor = self.store.execute(
                "SELECT * FROM bindings WHERE result IN (SELECT id FROM results WHERE run=?)", (source,))
        return [column[0] for column in cursor.description], cursor.fetchall()

    def one(self, number, seq, result_id):
        attempt, key = os.urandom(16).hex(), os.urandom(32)
        self._insert("runs", number=number, created_seq=seq)
        self._insert("run_spans", run=number)
        self._insert("steps", run=number, seq=seq + 1)
        self._insert("attempts", 1, id=attempt, run=number)
        self._insert("results", 1, id=result_id, key=key, run=number, attempt=attempt, seq=seq + 2)
        first = self.rows["results"][1][0][self.rows["results"][0].index("id")]
        columns, rows = self.rows["bindings"]
        for row in rows:
            if row[columns.index("result")] == first:
                self._put("bindings", columns, row, {"result": result_id})

    def _insert(self, table, limit=None, **changes):
        columns, rows = self.rows[table]
        for row in rows[:limit]:
            self._put(table, columns, row, changes)

    def _put(self, table, columns, row, changes):
        values = [changes.get(column, value) for column, value in zip(columns, row)]
        marks = ",".join("?" * len(values))
        self.store.execute(f"INSERT INTO {table} VALUES ({marks})", values)
