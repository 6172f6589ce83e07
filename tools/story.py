#!/usr/bin/env python3
"""The story of the quickstart: flights arrive, the pipeline runs, December halts.

usage: story.py [--check | --clean]        (called by tools/quickstart, which builds first)

Everything lives in .quickstart/: the watched folder, the daemon's state and store, the alerts that a
webhook received.  Each claim is compared with what the daemon says; --check ends with 1 if one fails.
"""
import argparse
import http.server
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

from product import Product, alive, children_of, find, ran, wait_for

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HOME = os.path.join(ROOT, ".quickstart")
BUILD = os.environ.get("PIPELINED_BUILD", os.path.join(ROOT, "build", "release"))


def path(*parts):
    return os.path.join(HOME, *parts)


class Receiver(http.server.BaseHTTPRequestHandler):
    """A webhook receiver: every alert becomes a line of .quickstart/alerts.jsonl, once an id."""

    seen = set()

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        key = self.headers.get("Idempotency-Key", "")
        if key not in Receiver.seen:
            Receiver.seen.add(key)
            with open(path("alerts.jsonl"), "ab") as file:
                file.write(body.replace(b"\n", b" ") + b"\n")
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


def receive():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    with open(path("receiver.port.partial"), "w") as file:
        file.write(str(server.server_address[1]))
    os.replace(path("receiver.port.partial"), path("receiver.port"))
    server.serve_forever()


class Story(Product):
    def __init__(self, check):
        super().__init__(HOME, BUILD)
        self.check = check
        self.failed = []
        self.passed = 0
        self.began = time.monotonic()

    # ------------------------------------------------------------------ telling

    def chapter(self, title):
        print(f"\n\033[1m{title}\033[0m" if sys.stdout.isatty() else f"\n{title}", flush=True)

    def say(self, text):
        print(text, flush=True)

    def claim(self, sentence, holds, seen=""):
        if holds:
            self.passed += 1
        else:
            self.failed.append(sentence)
        print(f"  {'ok    ' if holds else 'FAILED'} {sentence}" + ("" if holds else f"\n         saw: {seen}"),
              flush=True)
        return holds

    def on_unexpected(self, sentence, seen):
        self.claim(sentence, False, seen)

    def show(self, *words, expect=0):
        """Runs pipectl with the command and its output shown."""
        return self.pipectl(*words, quiet=False, expect=expect)

    def next_run(self, before, seconds=60):
        detail = self.run_after(before, seconds)
        if detail is None:
            self.claim(f"a run after run {before} starts within {seconds} s", False, "none came")
            self.finish()
        return detail

    def registered(self, number, why, version, rule):
        """Approves the model of a run, which waits for that, and looks at the version that it becomes."""
        detail = self.ask("show", str(number))
        self.claim(f"run {number} waits for a review of its model",
                   detail["run"]["state"] == "in_review" and find(detail, "register")["state"] == "in_review",
                   detail["run"])
        self.show("approve", str(number), "register", "--why", why, "--wait")
        detail = self.ask("show", str(number))
        newest = self.ask("model", "list", "flights")["versions"][0]
        sentence = newest["reason"]["sentence"]
        self.claim(f"approved, it is flights {newest['version']}: {sentence}",
                   detail["run"]["state"] == "succeeded" and newest["version"] == version and rule in sentence,
                   (detail["run"], newest))

    # ------------------------------------------------------------------ the data

    def deliver(self, month, change=None):
        """Renames a month into the watched folder, as every careful producer does."""
        with open(path("months", f"{month}.csv"), "rb") as file:
            content = file.read()
        if change:
            content = change(content)
        partial = path("flights", "incoming", f".{month}.partial")
        with open(partial, "wb") as file:
            file.write(content)
        os.replace(partial, path("flights", "incoming", f"{month}.csv"))

    def alerts(self):
        try:
            with open(path("alerts.jsonl")) as file:
                return [json.loads(line) for line in file]
        except FileNotFoundError:
            return []

    def finish(self):
        took = time.monotonic() - self.began
        if self.check:
            if self.daemon and self.daemon.poll() is None:
                self.stop()
            stop_pid(path("receiver.pid"))
            print(f"\nquickstart: {self.passed} claims hold, {len(self.failed)} do not, in {took:.0f} s")
            for sentence in self.failed:
                print(f"  FAILED {sentence}")
        sys.exit(1 if self.failed else 0)


def metric(step, name):
    return next(m["value"] for m in step["metrics"] if m["name"] == name and not m["slice"])


def digest(step, port, side="outputs"):
    return next(a["digest"] for a in step[side] if a["port"] == port)


def learned(*more):
    """What runs anew when there is a new model."""
    return ["evaluate", "register", "report", "train", *more]


def own(month):
    return sorted(f"{step}/{month}" for step in ("ingest", "join", "statistics", "validate"))


# ---------------------------------------------------------------------- chapters

def webhook(port):
    return f'[[alert]]\nname = "quickstart"\nkind = "webhook"\nurl = "http://127.0.0.1:{port}/alerts"\n'


def prepare(story):
    clean()
    os.makedirs(path("flights", "incoming"))
    os.makedirs(path("flights", "reference"))
    receiver = subprocess.Popen([sys.executable, os.path.abspath(__file__), "--receive"], stdin=subprocess.DEVNULL,
                                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    with open(path("receiver.pid"), "w") as file:
        file.write(str(receiver.pid))
    subprocess.run([os.path.join(ROOT, "tools", "flights"), path("months")], check=True, stdout=subprocess.DEVNULL)
    shutil.copytree(os.path.join(ROOT, "etc", "examples", "flights"), path("flights"), dirs_exist_ok=True)
    if story.check:  # the same pipeline with shorter waits
        edit_pipeline(lambda text: re.sub(r'coalesce\s*=\s*"5s"', 'coalesce = "1s"',
                                          re.sub(r'settle\s*=\s*"2s"', 'settle = "500ms"', text)))
    wait_for(lambda: os.path.exists(path("receiver.port")))
    with open(path("receiver.port")) as file:
        story.write_config(HOME, webhook(int(file.read())))


def edit_pipeline(change):
    with open(path("flights", "pipeline.toml")) as file:
        text = file.read()
    with open(path("flights", "pipeline.toml"), "w") as file:
        file.write(change(text))


def first_nine(story):
    story.chapter("1. January to September land: one run, each file a span")
    story.say("The daemon runs on the folder .quickstart/.  What this machine gives it:")
    story.start()
    story.show("doctor", expect=None)
    landlock = next((f for f in story.ask("doctor")["facts"] if "landlock" in f["name"].lower()), None)
    if landlock and landlock["level"] == "missing":
        story.claim("attempts can be walled in", False, landlock["advice"])
        story.say(f"Without Landlock no operator is run. {landlock['advice']}")
        story.finish()
    story.show("apply", path("flights"))
    shutil.copy(path("months", "reference", "weather.csv"), path("flights", "reference", "weather.csv"))
    for month in range(1, 10):
        story.deliver(f"2013-{month:02}")
    story.say("\nNine files were renamed into .quickstart/flights/incoming; the run starts when it was quiet for "
              "a while.")
    detail = story.next_run(0, 120)
    story.show("show", str(detail["run"]["number"]))
    story.claim("nine arrivals made one run", story.newest() == 1, detail["run"])
    spans = [s["span"] for s in detail["spans"] if not s["left_out"]]
    story.claim("each file is a span", spans == [f"2013-{m:02}" for m in range(1, 10)], spans)
    once = [p for p in ran(detail) if "/" in p]
    story.claim("ingest, join, statistics and validate ran once a span", len(once) == 36, once)
    story.say("\nNo model is registered before somebody has looked at it.  What the reviewer sees:")
    text = story.show("reviews").stdout
    evidence = digest(find(detail, "evaluate"), "evaluation")
    story.claim("the review names the step and its evidence by digest",
                "register" in text and evidence[:10] in story.pipectl("reviews", "-o", "json").stdout, text)
    blessing = find(detail, "evaluate")["notes"]["blessing"]["sentence"]
    story.claim(f"the evaluation says: {blessing}", metric(find(detail, "evaluate"), "blessed") == 1, blessing)
    story.registered(1, "the first, and good enough", "1.0.0", "the first version")
    return detail


def october(story, first):
    story.chapter("2. October lands: only its own elements run, and the earlier model is tried on it")
    story.deliver("2013-10")
    detail = story.next_run(1)
    story.show("show", "last")
    story.claim("October passes and makes a new model", find(detail, "train")["state"] == "succeeded", detail["run"])
    story.claim("only October's elements ran, the other months were reused",
                ran(detail) == sorted(own("2013-10") + learned("split", "gate", "backtest")), ran(detail))
    backtest = find(detail, "backtest")
    story.claim("the backtest took the January to September model",
                digest(backtest, "model", "inputs") == digest(find(first, "train"), "model"), backtest["inputs"])
    auc, precision, recall = (metric(backtest, name) for name in ("auc", "precision", "recall"))
    story.claim(f"that model on October: AUC {auc:.4f} (at least 0.70), precision {precision:.3f}, "
                f"recall {recall:.3f}", auc >= 0.70, auc)
    if story.check:
        compare_with_oracles(story, backtest)
    story.registered(2, "as good on October as before", "1.0.1", "patch against 1.0.0: retrained on other data")
    story.show("model", "list", "flights")


def compare_with_oracles(story, backtest):
    os.makedirs(path("exported"))
    for name, source in (("predictions", digest(backtest, "predictions")),
                         ("model", digest(backtest, "model", "inputs")),
                         ("evaluation", digest(backtest, "evaluation"))):
        story.pipectl("artifact", "export", source, path("exported", name))
    done = subprocess.run(
        [os.path.join(ROOT, ".deps", "venv", "bin", "python"), os.path.join(ROOT, "tests", "oracles", "flights_oracle.py"),
         "--csv", path("months", "2013-10.csv"), "--weather", path("months", "reference", "weather.csv"),
         "--predictions", path("exported", "predictions"), "--model", path("exported", "model"),
         "--evaluation", path("exported", "evaluation", "evaluation.json"), "--auc-min", "0.70"],
        capture_output=True, text=True)
    story.say(done.stdout.rstrip())
    story.claim("metrics equal scikit-learn's (1e-9), predictions XGBoost's Python package (1e-6), rows pandas'",
                done.returncode == 0, done.stdout[-800:] + done.stderr[-800:])


def november(story):
    story.chapter("3. November lands: validated against October")
    story.deliver("2013-11")
    detail = story.next_run(2)
    story.claim("November passes; only its own elements ran",
                ran(detail) == sorted(own("2013-11") + learned("split", "gate", "backtest")), ran(detail))
    previous = digest(find(detail, "validate/2013-11"), "previous", "inputs")
    story.claim("it was compared with October's statistics",
                previous == digest(find(detail, "statistics/2013-10"), "statistics"), previous)
    story.registered(3, "no worse", "1.0.2", "patch against 1.0.1: retrained on other data")


def again(story):
    story.chapter("4. Nothing is done twice")

    def nothing_to_do(when):
        began = time.monotonic()
        story.show("run", "flights", "--wait")
        took = time.monotonic() - began
        detail = story.ask("show", "last")
        story.claim(f"running again {when}: everything reused, the version is there already, answered in "
                    f"{took:.2f} s (at most 0.5 s)",
                    detail["run"]["state"] == "succeeded" and ran(detail) == ["register"] and took <= 0.5,
                    (detail["run"]["state"], ran(detail), took))

    nothing_to_do("at once")
    story.stop()
    story.start()
    nothing_to_do("right after a restart of the daemon")
    story.show("run", "flights", "--param", "depth=8", "--wait", expect=4)
    detail = story.ask("show", "last")
    story.claim("with another depth only training and what follows ran", ran(detail) == learned(), ran(detail))
    text = story.show("explain", "last", "train").stdout
    story.claim("explain names the parameter and both values", all(w in text for w in ("max_depth", "6", "8")), text)
    story.registered(detail["run"]["number"], "deeper trees do no harm", "1.1.0", "hyperparameter max_depth changed from 6 to 8")
    edit_pipeline(lambda text: text + "\n# A comment more.\n")
    story.show("apply", path("flights"))
    nothing_to_do("after a new comment in the pipeline file")


def december(story):
    story.chapter("5. December lands: 21.1 % late after 9.8 % in November, and the pipeline halts")
    before = story.newest()
    model = digest(find(story.ask("show", "3"), "train"), "model")
    story.deliver("2013-12")
    detail = story.next_run(before)
    number = detail["run"]["number"]
    story.show("show", str(number))
    story.claim("the run halted", detail["run"]["state"] == "halted", detail["run"])
    story.claim("show --wait ends with 3",
                story.pipectl("show", str(number), "--wait", expect=None).returncode == 3)
    story.claim("nothing downstream ran", ran(detail) == own("2013-12"), ran(detail))
    story.claim("the last model is untouched",
                story.pipectl("artifact", "show", model, expect=None).returncode == 0)
    explained = story.show("explain", str(number), "validate/2013-12").stdout
    for text, name in ((explained, "explain"),
                       (story.pipectl("show", str(number)).stdout, "show")):
        wanted = ["late", "l_infinity", "21.1", "9.8", "0.1", "pipectl accept", "drop", "reject"]
        story.claim(f"{name} says feature, measure, both values, threshold and the ways on",
                    all(w in text for w in wanted), [w for w in wanted if w not in text])
    wait_for(lambda: any("2013-12" in a["id"] for a in story.alerts()))
    received = [a for a in story.alerts() if "flights/2013-12/validate/" in a["id"]]
    story.claim("the alert reached the webhook once", len(received) == 1, story.alerts())
    listed = story.ask("alerts")["alerts"]
    story.claim("and stands in the list of alerts", any("2013-12/validate" in a["id"] for a in listed), listed)
    story.show("alerts")
    return number


def ways_on(story, number):
    story.chapter("6. The three ways on, each from a copy of the stopped state")
    story.stop()
    with open(path("receiver.port")) as file:
        port = int(file.read())
    ways = {
        "accept": ("accept", str(number), "validate/2013-12", "--why", "holiday traffic", "--wait"),
        "reject": ("reject", str(number), "validate/2013-12", "--why", "broken feed"),
        "drop": ("span", "drop", "flights", "flights/2013-12", "--why", "not a normal month"),
    }
    if not story.check:
        ways = {}
    for name, words in ways.items():
        place = path("ways", name)
        os.makedirs(place)
        for folder in ("state", "store"):
            subprocess.run(["cp", "-a", path(folder), place], check=True)
        story.write_config(place, webhook(port))
        story.start(place)
        story.show(*words, expect=None)
        detail = story.rest(number)
        state = detail["run"]["state"]
        downstream = {n: find(detail, n)["state"] for n in ("split", "gate", "train", "backtest")}
        if name == "accept":
            story.claim("accept resumes from there", state == "in_review" and downstream["train"] == "succeeded",
                        (state, downstream))
        elif name == "reject":
            story.claim("reject ends the run as rejected", state == "rejected" and downstream["split"] == "blocked",
                        (state, downstream))
        else:
            story.claim("dropping the span goes on without December",
                        state == "succeeded" and find(detail, "validate/2013-12")["state"] == "skipped", (state, downstream))
        story.stop()
        shutil.rmtree(place)
    story.start(HOME)
    story.say("Here the story goes on with an acceptance.")
    story.show("accept", str(number), "validate/2013-12", "--why", "holiday traffic", "--wait", expect=4)
    story.registered(number, "December, too", "1.2.0", "minor against 1.1.0")


def remedies(story, number):
    story.chapter("7. December with a remedy: the pipeline goes on by itself")
    models = {"none": find(story.ask("show", str(number)), "train")}
    evaluated = {"none": find(story.ask("show", str(number)), "evaluate")}
    for method in ("weights", "undersample"):
        story.show("run", "flights", "--param", f"remedy={method}")
        halted = story.newest()
        ended = story.rest(halted)["run"]
        again = story.rest(story.newest())
        cause = f"remedy {method} for validate/2013-12, which halted in run {halted}"
        story.claim(f"{method}: the halted run is superseded by a run of the policy, once",
                    (ended["state"], again["run"]["state"], again["run"]["number"]) ==
                    ("cancelled", "in_review", halted + 1) and cause in json.dumps(again["run"]),
                    (ended, again["run"]))
        models[method], evaluated[method] = find(again, "train"), find(again, "evaluate")
    story.show("explain", str(halted))
    story.show("explain", "last", "validate/2013-12")
    remedied = {digest(models[m], "model") for m in models}
    story.claim("each remedy made another model", len(remedied) == 3, remedied)
    for method, step in evaluated.items():
        auc, precision, recall = (metric(step, name) for name in ("auc", "precision", "recall"))
        story.claim(f"remedy {method}: AUC {auc:.4f} (at least 0.70), precision {precision:.3f}, recall {recall:.3f}",
                    auc >= 0.70, auc)
    same = digest(evaluated["none"], "examples", "inputs")
    story.claim("all three were evaluated on the same rows: the remedy is for training alone",
                all(digest(evaluated[m], "examples", "inputs") == same for m in evaluated), same)
    reply = story.show("accept", str(halted), "validate/2013-12", "--without-remedy", "--why", "as it is").stdout
    story.claim("a person's word counts more than the policy's", "without its remedy" in reply, reply)
    story.show("run", "flights", "--param", "remedy=undersample", "--wait", expect=None)
    detail = story.ask("show", "last")
    ports = [a["port"] for a in find(detail, "train")["inputs"]]
    story.claim("without the remedy the model learns from the rows as they are",
                find(detail, "train")["state"] in ("succeeded", "cached") and "remedy" not in ports, (detail["run"], ports))


def deliveries(story):
    story.chapter("8. Deliveries: again, changed, slow, broken")
    before = story.newest()
    story.deliver("2013-10")
    time.sleep(2.5 if story.check else 9)
    story.claim("the same file again is recognised: no run", story.newest() == before, story.newest())

    def without_last_line(content):
        return content.rstrip(b"\n").rsplit(b"\n", 1)[0] + b"\n"

    with open(path("months", "2013-10.csv"), "rb") as file:
        content = without_last_line(file.read())
    with open(path("flights", "incoming", "2013-10.csv"), "wb") as file:
        for i in range(8):
            file.write(content[i * len(content) // 8:(i + 1) * len(content) // 8])
            file.flush()
            time.sleep(0.3 if story.check else 1.2)
        story.claim("a file that is still being written is not touched", story.newest() == before, story.newest())
    detail = story.next_run(before)
    versions = [s["version"] for s in detail["spans"] if s["span"] == "2013-10"]
    story.claim("October with other content is version 2 and makes a run",
                versions == [2] and detail["run"]["state"] == "succeeded", (versions, detail["run"]))

    def broken(content):
        lines = content.split(b"\n")
        lines[1233] = lines[1233] + b",one,two,too,many"
        return b"\n".join(lines)

    before = story.newest()
    story.deliver("2013-11", broken)
    detail = story.next_run(before)
    ingest = find(detail, "ingest/2013-11")
    why = ingest["reason"]["sentence"]
    story.claim("a broken line fails its element with file and line number",
                ingest["state"] == "failed" and "2013-11.csv" in why and "1234" in why, (ingest["state"], why))
    story.say(f"  {why}")
    wait_for(lambda: any("ingest/2013-11" in a["id"] for a in story.alerts()))
    story.claim("and an alert goes out", any("ingest/2013-11" in a["id"] for a in story.alerts()), story.alerts())
    before = story.newest()
    story.deliver("2013-10", lambda c: without_last_line(without_last_line(c)))
    detail = story.next_run(before)
    left_out = [s["left_out"] for s in detail["spans"] if s["span"] == "2013-11"]
    story.claim("the next good arrival runs without that span",
                detail["run"]["state"] == "in_review" and left_out and "failed" in left_out[0],
                (detail["run"]["state"], left_out))


def killed(story):
    story.chapter("9. kill -9 of the daemon during training")
    number = json.loads(story.show("run", "flights", "--param", "depth=9", "-o", "json").stdout)["run"]
    running = wait_for(lambda: find(story.ask("show", str(number)), "train")["state"] == "running", 20)
    story.claim("training is going on", running)
    processes = children_of(story.daemon.pid)
    story.stop(signal.SIGKILL)
    gone = wait_for(lambda: not any(alive(pid) for pid in processes), 5)
    story.claim(f"none of its {len(processes)} processes is left", gone, [p for p in processes if alive(p)])
    story.start()
    detail = story.rest(number)
    train = find(detail, "train")
    story.claim("after a restart the run goes on to its review", detail["run"]["state"] == "in_review", detail["run"])
    story.claim("finished steps were not repeated", ran(detail) == learned(), ran(detail))
    story.claim("no try was counted for the lost attempt", train["tries"] == 1 and len(train["attempts"]) == 2,
                (train["tries"], train["attempts"]))
    story.show("explain", str(number), "train")


def stop_pid(file):
    try:
        with open(file) as text:
            pid = int(text.read())
        with open(f"/proc/{pid}/cmdline") as text:
            ours = "pipelined" in (line := text.read()) or "story.py" in line
        if ours:
            os.kill(pid, signal.SIGTERM)
            for _ in range(100):
                if not alive(pid):
                    break
                time.sleep(0.05)
    except (OSError, ValueError):
        pass


def clean():
    for place in [HOME] + [path("ways", name) for name in ("accept", "reject", "drop")]:
        stop_pid(os.path.join(place, "daemon.pid"))
    stop_pid(path("receiver.pid"))
    shutil.rmtree(HOME, ignore_errors=True)


def tell(check):
    story = Story(check)
    prepare(story)
    first = first_nine(story)
    october(story, first)
    november(story)
    again(story)
    number = december(story)
    ways_on(story, number)
    remedies(story, number)
    deliveries(story)
    killed(story)
    if not check:
        story.say(f"\nThe daemon goes on running.  Talk to it:\n"
                  f"  export PIPELINED_SOCKET={path('socket')} PATH={BUILD}/bin:$PATH\n"
                  f"  pipectl status; pipectl runs; pipectl explain last; pipectl span list\n"
                  f"The pipeline is .quickstart/flights/pipeline.toml; `pipectl apply` it after a change.\n"
                  f"tools/quickstart --clean stops the daemon and removes everything.")
    story.finish()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--receive", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.receive:
        receive()
    elif arguments.clean:
        clean()
    else:
        tell(arguments.check)


if __name__ == "__main__":
    main()
