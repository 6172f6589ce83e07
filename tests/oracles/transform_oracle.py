#!/usr/bin/env python3
"""Compares transform.fit and transform.apply with scikit-learn, pandas and numpy.

usage: transform_oracle.py OPERATOR_DRIVER

Fits on one table and applies to another that has words, nulls and numbers which the first lacks, and
computes the same columns independently.  Then the properties: rows in another order and analyses of
parts give the same bytes.  Prints one line a comparison; exits non-zero if one of them fails.
"""
import hashlib
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn import preprocessing as sk
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.impute import SimpleImputer
from sklearn.utils import murmurhash3_32

FAILURES = []
WORDS = ["Zürich", "late", "flight", "the", "JFK", "cheap", "win", "money", "now", "can't", "e-mail",
         "ÀÉ", "Привет", "Ωmega", "x2", "“quoted”", "naïve", "free!!", "_under", "§5", "café"]


def compare(what, ours, theirs, tolerance):
    ours, theirs = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    alike = ours.shape == theirs.shape and ours.size > 0 and \
        bool((np.isnan(ours) == np.isnan(theirs)).all())
    away = float(np.nanmax(np.abs(ours - theirs))) if alike else float("inf")
    good = away <= tolerance
    print(f"{'ok  ' if good else 'FAIL'} {what}: largest difference {away:.3g} "
          f"(allowed {tolerance:g}), shapes {ours.shape} {theirs.shape}")
    if not good:
        FAILURES.append(what)


def claim(what, holds):
    print(f"{'ok  ' if holds else 'FAIL'} {what}")
    if not holds:
        FAILURES.append(what)


def write_examples(folder, table, schema=None):
    os.makedirs(folder)
    pq.write_table(pa.Table.from_pandas(table, preserve_index=False, schema=schema)
                   .replace_schema_metadata(), os.path.join(folder, "part-00000.parquet"))


def drive(driver, operator, params, ports, good=True):
    done = subprocess.run([driver, operator, json.dumps(params), "2", "0", *ports],
                          capture_output=True, text=True, check=False)
    if good and done.returncode != 0:
        sys.exit(f"{operator} failed: {done.stdout} {done.stderr}")
    return json.loads(done.stdout)


def digest(folder):
    whole = hashlib.sha256()
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            whole.update(name.encode() + b"\0" + file.read())
    return whole.hexdigest()


def table_of(rows, seed, unseen=False):
    random = np.random.default_rng(seed)
    words = WORDS + (["neverseen", "Ελλάδα"] if unseen else [])
    cities = ["EWR", "JFK", "LGA", "Zürich", "b\"q"] + (["new"] if unseen else [])
    skewed = random.exponential(50, rows)
    skewed[random.random(rows) < 0.1] = np.nan
    table = pd.DataFrame({
        "wind": np.where(random.random(rows) < 0.2, np.nan, random.normal(1e6, 4, rows)),
        "delay": skewed,
        "constant": np.full(rows, 7.25),
        "coarse": random.integers(0, 5, rows).astype(float),
        "hour": random.integers(0, 24, rows),
        "origin": random.choice(cities, rows),
        "size": random.choice(["small", "mid", "large"], rows),
        "tags": ["|".join(random.choice(cities, random.integers(0, 4))) for _ in range(rows)],
        "text": [" ".join(random.choice(words, random.integers(0, 12))) for _ in range(rows)],
        "day": pd.to_datetime(random.integers(-20_000, 30_000, rows), unit="D").date,
        "moment": pd.to_datetime(random.integers(-10**15, 2 * 10**15, rows), unit="us"),
        "late": random.random(rows) < 0.3,
    })
    table["lists"] = [json.dumps(tags.split("|")) if tags else "[]" for tags in table.tags]
    table.loc[random.random(rows) < 0.05, ["origin", "text"]] = None
    return table


FEATURES = {
    "z": {"method": "number", "from": "wind", "scale": "z_score"},
    "filled": {"method": "number", "from": "delay", "scale": "z_score", "impute": "median",
               "indicator": True},
    "mean": {"method": "number", "from": "delay", "impute": "mean"},
    "most": {"method": "number", "from": "coarse", "impute": "most_frequent"},
    "minmax": {"method": "number", "from": "delay", "scale": "min_max"},
    "robust": {"method": "number", "from": "delay", "scale": "robust"},
    "flat": {"method": "number", "from": "constant", "scale": "z_score"},
    "clipped": {"method": "number", "from": "delay", "clip_min": 3, "clip_max": 90.5, "log": True},
    "bucket": {"method": "buckets", "from": "delay", "buckets": 7, "missing": True},
    "coarse_bucket": {"method": "buckets", "from": "coarse", "buckets": 4},
    "fixed": {"method": "buckets", "from": "delay", "boundaries": [1, 10, 100]},
    "origin": {"method": "one_hot", "other": True, "missing": True},
    "hour": {"method": "one_hot"},
    "two": {"method": "one_hot", "from": "origin", "top_k": 2},
    "tags": {"method": "multi_hot", "delimiter": "|"},
    "lists": {"method": "multi_hot"},
    "size": {"method": "ordinal", "categories": ["small", "mid", "large"]},
    "place": {"method": "ordinal", "from": "origin"},
    "hash": {"method": "hashed", "from": "origin", "buckets": 3},
    "rank": {"method": "vocabulary", "from": "origin", "top_k": 3, "oov_buckets": 2},
    "pair": {"method": "one_hot", "from": ["origin", "late"]},
    "target": {"method": "label", "from": "size"},
    "day": {"method": "date_parts", "parts": ["year", "month", "day", "weekday", "day_of_year"]},
    "moment": {"method": "date_parts", "parts": ["hour", "minute", "second"]},
    "circle": {"method": "date_parts", "from": "moment", "parts": ["hour", "month"], "cycle": True},
    "bag": {"method": "counts", "from": "text", "ngrams": [1, 2], "min_frequency": 5},
    "seen": {"method": "counts", "from": "text", "binary": True, "least_characters": 2},
    "tfidf": {"method": "tfidf", "from": "text"},
    "damped": {"method": "tfidf", "from": "text", "sublinear": True, "ngrams": [1, 3],
               "min_frequency": 3},
    "letters": {"method": "characters", "from": "text", "length": 9, "top_k": 10},
    "tokens": {"method": "tokens", "from": "text", "length": 6, "top_k": 8},
    "amount": {"method": "text_counts", "from": "text", "parts": ["characters", "words"]},
    "vectors": {"method": "vectors", "from": "text"},
}


def block(applied, name):
    return applied[[column for column in applied.columns
                    if column == name or column.startswith((name + "=", name + "."))]].to_numpy(float)


def check_numbers(train, test, applied):
    column = ["delay"]
    compare("z_score", block(applied, "z"),
            sk.StandardScaler().fit(train[["wind"]]).transform(test[["wind"]]), 1e-9)
    scaler = sk.StandardScaler().fit(train[column])
    fill = SimpleImputer(strategy="median").fit(train[column])
    filled = scaler.transform(pd.DataFrame(fill.transform(test[column]), columns=column))
    compare("median, z_score, indicator", block(applied, "filled"),
            np.column_stack([filled, test.delay.isna()]), 1e-12)
    compare("mean", block(applied, "mean"),
            SimpleImputer(strategy="mean").fit(train[column]).transform(test[column]), 1e-12)
    gaps = train[["coarse"]].copy()
    compare("most_frequent", block(applied, "most"),
            SimpleImputer(strategy="most_frequent").fit(gaps).transform(test[["coarse"]]), 0)
    compare("min_max", block(applied, "minmax"),
            sk.MinMaxScaler().fit(train[column]).transform(test[column]), 1e-12)
    compare("robust", block(applied, "robust"),
            sk.RobustScaler().fit(train[column]).transform(test[column]), 1e-12)
    compare("constant column", block(applied, "flat"),
            sk.StandardScaler().fit(train[["constant"]]).transform(test[["constant"]]), 0)
    compare("clip and log", block(applied, "clipped"), np.log1p(test[column].clip(3, 90.5)), 1e-12)
    for name, source, count in (("bucket", "delay", 7), ("coarse_bucket", "coarse", 4)):
        known = train[[source]].dropna()
        bins = sk.KBinsDiscretizer(count, encode="ordinal", strategy="quantile", subsample=None,
                                   quantile_method="linear").fit(known)
        filled = test[[source]].fillna(0)
        expected = bins.transform(filled)
        expected[test[source].isna()] = count
        compare(f"quantile buckets of {source}", block(applied, name), expected, 0)
    expected = np.digitize(test.delay, [1, 10, 100]).astype(float)
    expected[test.delay.isna()] = np.nan
    compare("given boundaries", block(applied, "fixed").ravel(), expected, 0)


def check_categories(train, test, applied):
    encoder = sk.OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    known = encoder.fit(train[["origin"]].dropna())
    hot = known.transform(test[["origin"]])
    missing = test.origin.isna().to_numpy()
    other = (hot.sum(axis=1) == 0) & ~missing
    claim("unseen words are in the test", other.any() and missing.any())
    compare("one_hot with other and missing", block(applied, "origin"),
            np.column_stack([hot, other, missing]), 0)
    compare("one_hot of whole numbers", block(applied, "hour"),
            encoder.fit(train[["hour"]]).transform(test[["hour"]]), 0)
    frequent = sorted(train.origin.value_counts().index[:2])
    compare("one_hot of the two most frequent", block(applied, "two"),
            np.column_stack([test.origin == word for word in frequent]), 0)
    binarizer = sk.MultiLabelBinarizer().fit([set(tags.split("|")) - {""} for tags in train.tags])
    import warnings
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        several = binarizer.transform([set(tags.split("|")) - {""} for tags in test.tags])
    compare("multi_hot of delimited texts", block(applied, "tags"), several, 0)
    compare("multi_hot of JSON lists", block(applied, "lists"), several, 0)
    given = sk.OrdinalEncoder(categories=[["small", "mid", "large"]]).fit(train[["size"]])
    compare("ordinal by a given order", block(applied, "size"), given.transform(test[["size"]]), 0)
    learned = sk.OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=np.nan)
    learned.fit(train[["origin"]].dropna())
    compare("ordinal", block(applied, "place"), learned.transform(test[["origin"]]), 0)
    hashes = test.origin.map(lambda word: murmurhash3_32(word, positive=True) % 3, na_action="ignore")
    compare("hashed", block(applied, "hash").ravel(), hashes, 0)
    counts = train.origin.value_counts().rename_axis("word").reset_index()
    ranks = {word: rank for rank, word in
             enumerate(counts.sort_values(["count", "word"], ascending=[False, True]).word[:3])}
    expected = test.origin.map(lambda word: ranks.get(word, 3 + murmurhash3_32(word, positive=True) % 2),
                               na_action="ignore")
    compare("vocabulary with buckets for others", block(applied, "rank").ravel(), expected, 0)
    pairs = sk.OneHotEncoder(sparse_output=False, handle_unknown="ignore")
    joined = [(train.origin.fillna("?") + "\x1f" + train.late.map({True: "true", False: "false"})),
              (test.origin.fillna("?") + "\x1f" + test.late.map({True: "true", False: "false"}))]
    pairs.fit(joined[0][train.origin.notna()].to_frame("pair"))
    compare("one_hot of a cross", block(applied, "pair"), pairs.transform(joined[1].to_frame("pair")), 0)
    compare("label", applied["target"], sk.LabelEncoder().fit(train["size"]).transform(test["size"]), 0)


def check_dates(test, applied):
    days, moments = pd.to_datetime(test.day).dt, test.moment.dt
    compare("parts of dates", block(applied, "day"),
            np.column_stack([days.year, days.month, days.day, days.day_of_week, days.day_of_year]), 0)
    compare("parts of times", block(applied, "moment"),
            np.column_stack([moments.hour, moments.minute, moments.second]), 0)
    hour, month = 2 * np.pi * moments.hour / 24, 2 * np.pi * (moments.month - 1) / 12
    compare("cycles", block(applied, "circle"),
            np.column_stack([np.sin(hour), np.cos(hour), np.sin(month), np.cos(month)]), 1e-12)


def check_texts(train, test, applied, vectors):
    train_text, test_text = train.text.fillna(""), test.text.fillna("")
    word, long_word = r"(?u)\b\w+\b", r"(?u)\b\w\w+\b"
    for name, vectorizer in (
            ("bag", CountVectorizer(token_pattern=word, ngram_range=(1, 2), min_df=5)),
            ("seen", CountVectorizer(token_pattern=long_word, binary=True)),
            ("tfidf", TfidfVectorizer(token_pattern=word)),
            ("damped", TfidfVectorizer(token_pattern=word, sublinear_tf=True, ngram_range=(1, 3),
                                       min_df=3))):
        vectorizer.fit(train_text)
        theirs = vectorizer.transform(test_text).toarray()
        compare(f"{name}: {theirs.shape[1]} words", block(applied, name), theirs, 1e-12)
    cut = CountVectorizer(token_pattern=word).build_analyzer()
    for name, pieces, length, top in (("letters", lambda text: list(text.lower()), 9, 10),
                                      ("tokens", cut, 6, 8)):
        counts = pd.Series([piece for text in train_text for piece in pieces(text)]).value_counts()
        counts = counts.rename_axis("piece").reset_index()
        best = counts.sort_values(["count", "piece"], ascending=[False, True]).piece[:top]
        places = {piece: place + 2 for place, piece in enumerate(best)}
        expected = [([places.get(piece, 1) for piece in pieces(text)] + [0] * length)[:length]
                    for text in test_text]
        compare(f"{name} as indices", block(applied, name), expected, 0)
    compare("text_counts", block(applied, "amount"),
            np.column_stack([test_text.map(len), test_text.map(lambda text: len(cut(text)))]), 0)
    expected = []
    for text in test_text:
        known = [vectors[piece] for piece in cut(text) if piece in vectors]
        expected.append(np.mean(known, axis=0) if known else np.zeros(4))
    compare("mean of word vectors", block(applied, "vectors"), expected, 1e-6)


def ports_of(work, train="train", test="test", tag=""):
    fit = [f"in:examples:examples/1={work}/{train}", f"in:vectors:files/1={work}/vectors",
           f"out:transform:transform/1={work}/transform{tag}"]
    apply = [f"in:examples:examples/1={work}/{test}",
             f"in:transform:transform/1={work}/transform{tag}",
             f"out:examples:examples/1={work}/applied{tag}"]
    return fit, apply


def check_properties(driver, work, train, schema):
    """The same bytes whatever the order of rows and however they are divided."""
    whole = digest(f"{work}/transform")
    write_examples(f"{work}/shuffled", train.sample(frac=1, random_state=5), schema)
    drive(driver, "transform.fit", {"features": FEATURES}, ports_of(work, "shuffled", tag="s")[0])
    claim("rows in another order give the same bytes", digest(f"{work}/transforms") == whole)
    analyses = []
    for part, rows in enumerate((train[:1], train[1:700], train[700:])):
        write_examples(f"{work}/part{part}", rows, schema)
        drive(driver, "transform.analyse", {"features": FEATURES},
              [f"in:examples:examples/1={work}/part{part}",
               f"out:analysis:transform_analysis/1={work}/analysis{part}"])
        analyses.append(f"in:analyses:transform_analysis/1={work}/analysis{part}")
    for order in (analyses, analyses[::-1]):
        drive(driver, "transform.fit", {}, [*order, f"in:vectors:files/1={work}/vectors",
                                            f"out:transform:transform/1={work}/merged{order[0][-1]}"])
        claim("analyses of parts, merged, give the same bytes",
              digest(f"{work}/merged{order[0][-1]}") == whole)


def check_many_numbers(driver, work):
    """More different numbers than are kept: quantiles within the stated error."""
    values = np.random.default_rng(3).normal(50, 20, 300_000)
    write_examples(f"{work}/many", pd.DataFrame({"x": values}))
    drive(driver, "transform.fit", {"features": {"x": {"method": "buckets", "buckets": 20}}},
          [f"in:examples:examples/1={work}/many", f"out:transform:transform/1={work}/sketched"])
    with open(f"{work}/sketched/transform.json", encoding="utf-8") as file:
        ours = json.load(file)["fitted"]["x"]["boundaries"]
    theirs = np.quantile(values, np.arange(1, 20) / 20)
    compare("quantiles of 300,000 different numbers, relative", (ours - theirs) / theirs,
            np.zeros(19), 1e-3)


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    driver = os.path.abspath(sys.argv[1])
    train, test = table_of(2000, 1), table_of(900, 2, unseen=True)
    schema = pa.Schema.from_pandas(train, preserve_index=False)
    random = np.random.default_rng(4)
    vectors = {word.lower(): random.normal(size=4).astype(np.float32).round(5)
               for word in ("late", "flight", "jfk", "zürich", "money", "neverseen")}
    with tempfile.TemporaryDirectory() as work:
        write_examples(f"{work}/train", train, schema)
        write_examples(f"{work}/test", test, schema)
        os.makedirs(f"{work}/vectors")
        with open(f"{work}/vectors/glove.txt", "w", encoding="utf-8") as file:
            file.write("6 4\n" + "".join(word + " " + " ".join(map(str, vector)) + "\n"
                                         for word, vector in vectors.items()))
        fit, apply = ports_of(work)
        drive(driver, "transform.fit", {"features": FEATURES}, fit)
        drive(driver, "transform.apply", {"keep": ["late"]}, apply)
        applied = pq.read_table(f"{work}/applied").to_pandas()
        claim("kept columns", (applied.late == test.late).all())
        check_numbers(train, test, applied)
        check_categories(train, test, applied)
        check_dates(test, applied)
        check_texts(train, test, applied, vectors)
        check_properties(driver, work, train, schema)
        check_many_numbers(driver, work)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} comparisons failed: {FAILURES}")


if __name__ == "__main__":
    main()
