#!/usr/bin/env python3
"""Works out again what Python's csv, json and codecs say of the table of nasty inputs.

usage: ingest_oracle.py NASTY_JSONL

The C++ test compares our readers with the table; this compares the table with Python, so that its
outcomes are Python's and not ours.  Rows whose source is a standard are only counted.
"""
import collections
import csv
import io
import json
import sys


def read_csv(text, delimiter, quote):
    """The rows as long as the first, and the lines on which the others begin."""
    how = {"quotechar": quote} if quote else {"quoting": csv.QUOTE_NONE}
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True, **how)
    good, bad, line = [], [], 0
    try:
        for row in reader:
            begin, line = line + 1, reader.line_num
            if not row:
                continue
            if good and len(row) != len(good[0]):
                bad.append(begin)
            else:
                good.append(row)
    except csv.Error:
        bad.append(line + 1)
    return good, bad


def refuse(word):
    raise ValueError(word)


def plain(value):
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return str(value).lower()
    raise ValueError("a list or an object")


def read_json(text):
    good, bad = [], []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip(" \t\r"):
            continue
        try:
            value = json.loads(line, parse_int=str, parse_float=str, parse_constant=refuse)
            if not isinstance(value, dict):
                raise ValueError("no object")
            good.append({key: plain(item) for key, item in value.items()})
        except (ValueError, RecursionError):
            bad.append(number)
    return good, bad


def outcome(row):
    if row["source"].startswith("Python codec "):
        text = bytes.fromhex(row["hex"]).decode(row["source"].removeprefix("Python codec "))
        return read_csv(text, ",", '"')
    if row["source"] == "Python json":
        return read_json(row["text"])
    delimiter = row.get("delimiter", "\t" if row["format"] == "tsv" else ",")
    return read_csv(row["text"], delimiter, row.get("quote", '"'))


def main():
    sources, failures = collections.Counter(), 0
    for line in open(sys.argv[1], encoding="utf-8"):
        row = json.loads(line)
        sources[row["source"].split(" section")[0].split(" codec")[0]] += 1
        if row["source"].startswith("Python") and outcome(row) != (row["rows"], row["bad_lines"]):
            failures += 1
            print(f"FAILED: {row['name']}: Python says {outcome(row)!r:.200}")
    for source, count in sorted(sources.items()):
        print(f"{count:4} {source}")
    enough = sum(sources.values()) >= 300
    if not enough:
        print("FAILED: fewer than 300 inputs")
    sys.exit(1 if failures or not enough else 0)


if __name__ == "__main__":
    main()
