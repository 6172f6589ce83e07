"""Area `models`: scoring and judging models, in one process without a daemon."""
import json
import pathlib
import shutil
import subprocess

from figure import figure, median

AREA = "models"
HERE = pathlib.Path(__file__).resolve().parent
DEPS = HERE.parent / ".deps"

TARGETS = {
    "one row with 100 trees of depth 6": ("us", 30),
    "100 slices, 200 resamples": ("s", 5),
    "100 slices, 200 resamples, with a baseline": ("s", None),
}


def evaluate(context):
    """model.evaluate on 300,000 rows of 20 features, and one row at a time."""
    subprocess.run(["ninja", "-C", str(context.build), "model_bench"], check=True,
                   stdout=subprocess.DEVNULL)
    found = {name: [] for name in TARGETS}
    for turn in range(context.turns):
        folder = context.folder / f"models-{turn}"
        done = subprocess.run([str(context.build / "bin" / "model_bench"), str(folder),
                               str(context.rows)], check=True, capture_output=True, text=True)
        shutil.rmtree(folder)
        for line in done.stdout.splitlines():
            row = json.loads(line)
            found[row["name"]].append(row["value"])
            context.say(f"{row['name']}: {row['value']:.3g} {row['unit']}")
    for name, (unit, most) in TARGETS.items():
        value = median(found[name])
        yield figure(AREA, name, value, unit, f"≤ {most} {unit}" if most else "",
                     value <= most if most else None)


def limit(context):
    """Trees on the flights ten times over, under a tenth of their size in memory."""
    subprocess.run(["ninja", "-C", str(context.build), "pipelined-worker", "train.so"], check=True,
                   stdout=subprocess.DEVNULL)
    folder = context.folder / "models-limit"
    folder.mkdir()
    done = subprocess.run([str(DEPS / "venv" / "bin" / "python"),
                           str(HERE / "flights_limit.py"), str(context.build), str(folder),
                           "10" if context.quick else "50"],
                          check=True, capture_output=True, text=True)
    shutil.rmtree(folder)
    found = json.loads(done.stdout)
    loss = abs(found["auc_memory"] - found["auc_pages"])
    context.say(f"AUC {found['auc_memory']:.4f} in memory, {found['auc_pages']:.4f} from pages")
    yield figure(AREA, "trees under a tenth of the rows' size: AUC lost", loss, "", "≤ 0.002",
                 loss <= 0.002)
    yield figure(AREA, "trees in memory, no limit", found["memory_s"], "s", "", None)
    yield figure(AREA, f"trees from pages, limit {found['limit'] / 1e6:.0f} MB", found["pages_s"],
                 "s", "", None)


def flights(context):
    """From rows to a judged model of the flights, beside a script of pandas, scikit-learn and XGBoost."""
    subprocess.run(["ninja", "-C", str(context.build), "pipelined-worker", "transform.so", "train.so",
                    "model.so"], check=True, stdout=subprocess.DEVNULL)
    folder = context.folder / "models-flights"
    folder.mkdir()
    done = subprocess.run([str(DEPS / "venv" / "bin" / "python"), str(HERE / "flights_pipeline.py"),
                           str(context.build), str(folder), str(context.turns)],
                          check=True, stdout=subprocess.PIPE, text=True)
    shutil.rmtree(folder)
    turns = json.loads(done.stdout)
    for turn in turns:
        context.say("  ".join(f"{name} {turn[name]['ours_s']:.2f} s beside {turn[name]['theirs_s']:.2f} s"
                              for name in ("outside", "whole")) + f"  apply {turn['apply_s']:.2f} s")

    def ratio(name, what, most):
        of_turns = [turn[name][f"ours_{what}"] / turn[name][f"theirs_{what}"] for turn in turns]
        found = median(of_turns)
        titles = {"outside": "all but the training", "whole": "the whole with 100 trees"}
        word = "seconds" if what == "s" else "peak memory"
        return figure(AREA, f"flights, {titles[name]}: {word} beside the script's", found, "",
                      f"≤ {most}", found <= most)
    yield ratio("outside", "s", 0.5)
    yield ratio("whole", "s", 0.9)
    yield ratio("whole", "bytes", 0.5)
    away = max(abs(turn["whole"]["ours_auc"] - turn["whole"]["theirs_auc"]) for turn in turns)
    yield figure(AREA, "flights: difference of AUC", away, "", "≤ 0.0005", away <= 0.0005)
    seconds = median([turn["apply_s"] for turn in turns])
    yield figure(AREA, "transform.apply, a million rows", seconds, "s", "≤ 1.5 s", seconds <= 1.5)


PARTS = {"evaluate": evaluate, "limit": limit, "flights": flights}


class Context:
    """How much to do, and where."""

    def __init__(self, build, folder, quick, say):
        self.build, self.folder, self.quick, self.say = build, folder, quick, say
        self.rows = 60_000 if quick else 300_000
        self.turns = 3 if quick else 5


def measure(context, parts):
    for name, part in PARTS.items():
        if not parts or name in parts:
            yield from part(context)
