"""Area `models`: scoring and judging models, in one process without a daemon."""
import json
import shutil
import subprocess

from figure import figure, median

AREA = "models"

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


PARTS = {"evaluate": evaluate}


class Context:
    """How much to do, and where."""

    def __init__(self, build, folder, quick, say):
        self.build, self.folder, self.say = build, folder, say
        self.rows = 60_000 if quick else 300_000
        self.turns = 3 if quick else 5


def measure(context, parts):
    for name, part in PARTS.items():
        if not parts or name in parts:
            yield from part(context)
