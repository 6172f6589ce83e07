#!/usr/bin/env python3
"""Looks at the card of a model version in a browser: one that passed a review with slices, explanation and notes.

usage: card_pages.py BUILD [KEEP_FILE]

Exits with 77 where there is no Chromium.
"""
import os
import random
import sys
import tempfile

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tools"))
import page  # noqa: E402
from product import Product, wait_for  # noqa: E402

PIPELINE = """
name = "late"
[source.flights]
path   = "incoming/{YYYY}.csv"
settle = "100ms"
[step.ingest]
foreach  = "source.flights"
operator = "ingest.files"
in.files = "each"
[step.split]
operator      = "data.split"
in.examples   = "ingest"
params.shares = { train = 7, eval = 3 }
[step.train]
operator    = "train.trees"
in.examples = "split.train"
params.label  = "late"
params.rounds = 20
[step.evaluate]
operator    = "model.evaluate"
in.model    = "train"
in.examples = "split.eval"
params.slices   = ["carrier"]
params.fairness = ["carrier"]
params.bootstraps = 20
params.require  = [{ metric = "auc", min = 0.6 }, { metric = "auc", slice = "carrier=*", min = 0.5 }]
[step.explain]
operator    = "model.explain"
in.model    = "train"
in.examples = "split.eval"
params.rows = 200
[step.register]
operator       = "model.register"
in.model       = "train"
in.evaluation  = "evaluate.evaluation"
in.explanation = "explain.explanation"
params.name    = "late"
"""


def flights(path):
    chance = random.Random(5)
    with open(path, "w", encoding="utf-8") as file:
        file.write("distance,wind,carrier,a_column_whose_name_is_long_and_has_no_blank_anywhere,late\n")
        for _ in range(3000):
            far, wind, carrier = chance.randrange(2500), chance.randrange(50), chance.choice(["AA", "B6", "<UA> & co"])
            late = wind + far / 200 + 5 * (carrier == "B6") + chance.random() * 25 > 45
            file.write(f"{far},{wind},{carrier},{chance.randrange(9)},{'true' if late else 'false'}\n")


def card(build, place):
    """The card of version 1.0.0, with a tag, a note and an alias."""
    os.makedirs(f"{place}/late/incoming")
    with open(f"{place}/late/pipeline.toml", "w", encoding="utf-8") as file:
        file.write(PIPELINE)
    flights(f"{place}/late/incoming/2013.csv")
    product = Product(place, build)
    product.write_config(place)
    product.start()
    try:
        product.pipectl("apply", f"{place}/late")
        taken = lambda: product.ask("span", "list")["spans"]  # noqa: E731
        assert wait_for(taken), product.log()
        product.pipectl("run", "late", "--wait", expect=4)  # it waits for a person
        product.pipectl("approve", str(product.newest()), "register", "--why", "as good as <promised> & more", "--wait")
        product.pipectl("model", "tag", "late", "1.0.0", "market=eu")
        product.pipectl("model", "note", "late", "1.0.0", "flies well in fog, " + "and says so at length, " * 12)
        product.pipectl("model", "card", "late", "1.0.0", "--to", f"{place}/card.html")
    finally:
        product.stop()
    return f"{place}/card.html"


def main():
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    if page.BROWSER is None:
        print("not possible here: there is no Chromium")
        return 77
    with tempfile.TemporaryDirectory() as place:
        path = card(os.path.abspath(sys.argv[1]), place)
        seen = page.look(path)
        with open(path, encoding="utf-8") as file:
            html = file.read()
        for words in ("late 1.0.0", "as good as &lt;promised&gt; &amp; more", "market", "flies well in fog", "auc", "distance"):
            if words not in html:
                seen["wrong"].append(f"it does not say '{words}'")
        if len(html) > 200_000:
            seen["wrong"].append(f"it has {len(html)} bytes")
        if len(sys.argv) == 3:
            page.picture(path, sys.argv[2], height=2400)
    print("\n".join(seen["wrong"]) or "ok")
    return 1 if seen["wrong"] else 0


if __name__ == "__main__":
    sys.exit(main())
