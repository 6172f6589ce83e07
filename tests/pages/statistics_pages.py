#!/usr/bin/env python3
"""The page of statistics in a browser: plain, beside another, with problems, of odd and of very many features.

usage: statistics_pages.py PIPECTL RUN_DATA_OPERATOR [PICTURES]     exit 77: there is no Chromium
"""
import json
import os
import random
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import page  # noqa: E402

PIPECTL, RUN = sys.argv[1:3]
PICTURES = sys.argv[3] if len(sys.argv) > 3 else None
failures = []


def check(what, good, why=""):
    if not good:
        failures.append(what)
        print("FAILED:", what, why)


def pipectl(*words):
    done = subprocess.run([PIPECTL, *words], capture_output=True, text=True)
    check("pipectl " + " ".join(words), done.returncode == 0, done.stderr)
    return done.stdout


def rows(path, count, moved):
    draw = random.Random(5 + moved)
    with open(path, "w") as out:
        out.write("fare,kind,late,day,constant,empty,tiny,ünïcode & <b>\n")
        for i in range(count):
            fare = f"{draw.gammavariate(2, 9 + 4 * moved):.2f}" if draw.random() > 0.05 + 0.2 * moved else ""
            kind = draw.choice(["cash", "card", "card", "a name that is longer than all the others of this column"])
            out.write(f"{fare},{kind},{draw.random() < 0.1 + 0.3 * moved},2013-{1 + i % 12:02d}-{1 + i % 28:02d},7,,"
                      f"{draw.random() * 1e-9},x{draw.randrange(10**9)}\n")


def look(name, path, cards, drawings):
    check(f"{name}: below a megabyte", os.path.getsize(path) < 1_000_000, os.path.getsize(path))
    seen = page.look(path)
    check(f"{name}: nothing empty, overlapping or cut", not seen["wrong"], "\n  ".join([""] + seen["wrong"][:20]))
    check(f"{name}: {cards} cards", seen["cards"] == cards, seen["cards"])
    check(f"{name}: {drawings} drawings", seen["drawings"] == drawings, seen["drawings"])
    if PICTURES:
        page.picture(path, f"{PICTURES}/{name}.png")
        page.picture(path, f"{PICTURES}/{name}-dark.png", dark=True)


def with_problems(work):
    """data.report with what validation found, which pipectl does not hand over."""
    os.makedirs(work + "/anomalies")
    with open(work + "/anomalies/anomalies.json", "w") as out:
        json.dump({"anomalies": [
            {"anomaly": "label_drift", "feature": "late", "severity": "error", "sentence": "the label moved"},
            {"anomaly": "new_values", "feature": "kind", "severity": "warning", "sentence": "a value is new"}]}, out)
    os.makedirs(work + "/statistics")
    with open(work + "/statistics/statistics.json", "w") as out:
        out.write(pipectl("stats", "show", work + "/before.csv", "--json"))
    done = subprocess.run([RUN, "data.report", "--input", "statistics", "statistics/1", work + "/statistics",
                           "--input", "anomalies", "anomalies/1", work + "/anomalies",
                           "--output", "report", "report/1", work + "/report"], capture_output=True, text=True)
    check("data.report", done.returncode == 0 and json.loads(done.stdout)["outcome"] == "ok", done.stdout)
    html = open(work + "/report/report.html").read()
    check("problems stand first", html.index("<b>late</b>") < html.index("<b>kind</b>")
          < html.index("<b>fare</b>"))
    check("problems are told", "the label moved" in html and "a value is new" in html)
    look("problems", work + "/report/report.html", 8, 3)


def main():
    if not page.BROWSER:
        print("not possible here: there is no Chromium")
        return 77
    with tempfile.TemporaryDirectory() as work:
        rows(work + "/before.csv", 3000, 0)
        rows(work + "/now.csv", 2000, 1)
        pipectl("stats", "show", work + "/before.csv", "--html", work + "/one.html")
        look("one", work + "/one.html", 8, 3)
        pipectl("stats", "show", work + "/before.csv", "--slice", "kind", "--where", "dear=fare > 30",
                "--html", work + "/slices.html")
        look("slices", work + "/slices.html", 8, 3)
        pipectl("stats", "compare", work + "/before.csv", work + "/now.csv", "--html", work + "/two.html")
        look("two", work + "/two.html", 8, 3)
        html = open(work + "/two.html").read()
        check("names are escaped", "ünïcode &amp; &lt;b&gt;" in html and "& <b>" not in html)
        check("what differs most stands first", html.index("<b>late</b>") < html.index("<b>constant</b>"))
        with_problems(work)
        with open(work + "/wide.csv", "w") as out:
            out.write(",".join(f"feature_number_{i}" for i in range(3000)) + "\n")
            for row in range(40):
                out.write(",".join(str((row * i) % 97 / 7) for i in range(3000)) + "\n")
        pipectl("stats", "show", work + "/wide.csv", "--html", work + "/wide.html")
        check("3000 features: below a megabyte", os.path.getsize(work + "/wide.html") < 1_000_000)
        check("3000 features: what is left out is said", "features are not drawn" in open(work + "/wide.html").read())
        with open(work + "/none.csv", "w") as out:
            out.write("a,b\n")
        pipectl("stats", "show", work + "/none.csv", "--html", work + "/none.html")
        look("none", work + "/none.html", 2, 0)
    print("ok" if not failures else f"{len(failures)} failures")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
