"""Area `engine`: what stands around a step, measured with steps that do nothing."""
import json
import shutil
import time

import past_runs
import peer_ninja
from figure import figure, median, median_ratio
from running_daemon import Daemon

AREA = "engine"

FAN = """name = "{name}"
[params]
round = 0
[source.files]
path = "incoming/{{SPAN}}.txt"
settle = "0s"
[step.work]
foreach = "source.files"
operator = "{operator}"
in.file = "each"
params.round = "${{round}}"
"""

ARRIVE = """name = "arrive"
[source.files]
path = "incoming/{SPAN}.bin"
settle = "200ms"
[[trigger]]
arrival = ["files"]
coalesce = "0s"
[step.first]
foreach = "source.files"
operator = "bench.moment"
in.file = "each"
"""


def fan_out(context):
    """Rows one, two and five: fan-out without output, with 1 KB, and nothing to do."""
    count = context.steps
    with context.daemon("fan") as daemon:
        for name in ("nothing", "kilobyte"):
            _deliver(daemon, name, count)
        for name in ("nothing", "kilobyte"):
            ours, theirs = [], []
            for turn in range(context.turns):
                theirs.append(count / getattr(peer_ninja, name)(context.fresh(), count))
                ours.append(count / daemon.run(name, "--param", f"round={turn + 1}"))
                context.say(f"{name}: {ours[-1]:.0f} steps/s, Ninja {theirs[-1]:.0f}")
            factor = {"nothing": 2.0, "kilobyte": 1.2}[name]
            what = {"nothing": "without output", "kilobyte": "with 1 KB each"}[name]
            ratio = median_ratio(ours, theirs)
            yield figure(AREA, f"durable fan-out of {count:,} native steps {what}", median(ours),
                         "steps/s", f"≥ {factor:g} × Ninja", ratio >= factor, "Ninja", median(theirs))
            yield figure(AREA, f"the same as a multiple of Ninja, {what}", round(ratio, 3), "×",
                         f"≥ {factor:g}", ratio >= factor)
        yield from _again(context, daemon, count)


def _deliver(daemon, name, count):
    folder = daemon.folder / name
    incoming = folder / "incoming"
    incoming.mkdir(parents=True)
    for i in range(count):
        (incoming / f"{i}.txt").write_text(f"{i}\n")
    daemon.apply(name, FAN.format(name=name, operator="bench." + name))
    daemon.wait_for_spans(name, count)


def _again(context, daemon, count):
    daemon.run("nothing")
    warm, cold = [], []
    for _ in range(context.turns):
        warm.append(daemon.run("nothing"))
        daemon.stop()
        daemon.start()
        cold.append(daemon.run("nothing"))
        context.say(f"nothing to do: {warm[-1]:.3f} s, right after a restart {cold[-1]:.3f} s")
    for values, when in ((warm, ""), (cold, ", right after a restart")):
        yield figure(AREA, f"run of {count:,} steps that are all reused{when}", median(values), "s",
                     "≤ 0.5", median(values) <= 0.5)


def chain(context):
    """Row three: each step after the one before."""
    count = context.chain
    steps = []
    for i in range(count):
        after = f'after = ["s{i - 1}"]\n' if i else ""
        steps.append(f'[step.s{i}]\noperator = "bench.nothing"\n{after}seed = {i}\n'
                     'params.round = "${round}"\n')
    text = 'name = "chain"\n[params]\nround = 0\n' + "".join(steps)
    with context.daemon("chain") as daemon:
        daemon.apply("chain", text)
        ours, theirs = [], []
        for turn in range(context.turns):
            theirs.append(peer_ninja.chain(context.fresh(), count) / count * 1000)
            ours.append(daemon.run("chain", "--param", f"round={turn + 1}") / count * 1000)
            context.say(f"chain: {ours[-1]:.2f} ms a hop, Ninja {theirs[-1]:.2f}")
    ratio = median_ratio(ours, theirs)
    yield figure(AREA, f"chain of {count:,} trivial steps, one hop", median(ours), "ms",
                 "≤ Ninja's", ratio <= 1.0, "Ninja", median(theirs))


def arrival(context):
    """Row four: from the rename to the first line of the operator."""
    late = []
    with context.daemon("arrive") as daemon:
        incoming = daemon.folder / "arrive" / "incoming"
        incoming.mkdir(parents=True)
        daemon.apply("arrive", ARRIVE)
        for turn in range(context.arrivals):
            hidden = incoming / f".{turn}.bin"
            hidden.write_bytes(bytes([turn % 256]) * 1_000_000)
            time.sleep(0.3)
            renamed = time.time() * 1000
            hidden.rename(incoming / f"{turn}.bin")
            late.append(_began(daemon, turn + 1) - renamed - 200)
    context.say("arrivals: " + " ".join(f"{ms:.0f}" for ms in late) + " ms beyond the settle time")
    # The first one also starts the host of the plugin.
    yield figure(AREA, "1 MB file renamed into place → first step, beyond settling", median(late[1:]),
                 "ms", "≤ 50", median(late[1:]) <= 50)


def _began(daemon, run):
    until = time.monotonic() + 30
    while time.monotonic() < until:
        runs = daemon.get("/api/v1/runs?limit=1")["runs"]
        if runs and runs[0]["number"] == run and runs[0]["state"] == "succeeded":
            shown = daemon.get(f"/api/v1/runs/{run}")
            for step in shown["steps"]:
                for metric in step.get("metrics") or []:
                    if step["state"] == "succeeded" and metric["name"] == "began_ms":
                        return metric["value"]
        time.sleep(0.02)
    raise RuntimeError(f"run {run} did not end; log: " + daemon.log_tail())


def handover(context):
    """From one step's first line to the next one's, while a fan-out keeps every slot busy."""
    count = context.links
    text = 'name = "links"\n[run]\npriority = 100\n' + "".join(
        f'[step.s{i}]\noperator = "bench.moment"\nseed = {i}\n' + (f'after = ["s{i - 1}"]\n' if i else "")
        for i in range(count))
    with context.daemon("handover", cpus=4) as daemon:
        _deliver(daemon, "nothing", context.steps)
        daemon.apply("links", text)
        daemon.pipectl("run", "nothing", "--param", "round=1")
        daemon.run("links")
        state = daemon.get("/api/v1/runs/1")["run"]["state"]
        began = sorted(metric["value"] for step in daemon.get("/api/v1/runs/2")["steps"]
                       for metric in step.get("metrics") or [] if metric["name"] == "began_ms")
    if len(began) != count or state != "running":
        raise RuntimeError(f"the load ended first ({state}), or {len(began)} of {count} moments are there")
    hops = sorted(b - a for a, b in zip(began, began[1:]))
    p99 = hops[int(len(hops) * 0.99)]
    context.say(f"hand-over under load: median {median(hops):.1f} ms, p99 {p99:.1f} ms")
    yield figure(AREA, f"step to next step under load, median of {count - 1}", median(hops), "ms", "", None)
    yield figure(AREA, "step to next step under load, p99", p99, "ms", "≤ 10", p99 <= 10)


def history(context):
    """Row six: what a long past costs."""
    count = context.past
    text = 'name = "past"\n' + "".join(
        f'[step.s{i}]\noperator = "bench.kilobyte"\nseed = {i}\n' for i in range(4))
    with context.daemon("past") as daemon:
        daemon.apply("past", text)
        daemon.run("past")
        daemon.stop()
        past_runs.fill(daemon.state / "state.db", count)
        took = daemon.start()
        context.say(f"start with {count:,} past runs: {took:.2f} s")
        listed = []
        for _ in range(11):
            began = time.monotonic()
            rows = json.loads(daemon.pipectl("runs", "-o", "json"))
            listed.append((time.monotonic() - began) * 1000)
        if len(rows["runs"] if isinstance(rows, dict) else rows) < 20:
            raise RuntimeError("pipectl runs listed too little")
        daemon.run("past", "--force", "s0")
        memory = daemon.memory_mb()
    yield figure(AREA, f"memory of a daemon with {count:,} past runs", memory, "MB", "≤ 100",
                 memory <= 100)
    yield figure(AREA, f"pipectl runs with {count:,} past runs", median(listed), "ms", "≤ 50",
                 median(listed) <= 50)


def large(context):
    """A file of many steps that a program wrote: read, checked, put in force, held in memory."""
    count = context.large
    steps = ["name = \"large\"\n[step.s0]\noperator = \"bench.nothing\"\n"]
    for i in range(1, count):
        steps.append(f'[step.s{i}]\noperator = "bench.nothing"\nafter = ["s{(i - 1) // 10}"]\n')
    text = "".join(steps)
    with context.daemon("large") as daemon:
        folder = daemon.folder / "large"
        folder.mkdir()
        (folder / "pipeline.toml").write_text(text)
        daemon.pipectl("plan", "none", expect=(2,))
        before, spent = daemon.memory_mb(), daemon.cpu_seconds()
        daemon.pipectl("check", str(folder), "--quiet")
        spent = daemon.cpu_seconds() - spent
        context.say(f"{count:,} steps read and checked in {spent:.2f} s of processor time")
        daemon.pipectl("apply", str(folder), "--quiet")
        daemon.stop()
        daemon.start()
        grown = (daemon.memory_mb() - before) * 1e6 / count
    yield figure(AREA, f"pipeline of {count:,} steps, read and checked", spent, "CPU s", "≤ 1",
                 spent <= 1)
    yield figure(AREA, f"memory of a daemon that starts with it, for each step", grown, "bytes",
                 "≤ 200 beside names", grown <= 200)


PARTS = {"fan_out": fan_out, "chain": chain, "handover": handover, "arrival": arrival,
         "history": history, "large": large}


class Context:
    """What the parts share: how much to do, where, and somewhere to talk to."""

    def __init__(self, build, folder, quick, say):
        self.build, self.folder, self.say = build, folder, say
        self.steps = 2_000 if quick else 10_000
        self.chain = 200 if quick else 1_000
        self.links = 200 if quick else 500
        self.large = 10_000 if quick else 100_000
        self.past = 20_000 if quick else 100_000
        self.turns = 3 if quick else 5
        self.arrivals = 6 if quick else 21
        self._fresh = 0

    def daemon(self, name, cpus=64):
        shutil.rmtree(self.folder / name, ignore_errors=True)
        return Daemon(self.build, self.folder / name, cpus)

    def fresh(self):
        """A folder for the peer that was never used before."""
        self._fresh += 1
        return self.folder / f"peer-{self._fresh}"


def measure(context, parts):
    for name, part in PARTS.items():
        if not parts or name in parts:
            yield from part(context)
