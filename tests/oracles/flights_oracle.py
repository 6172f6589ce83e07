#!/usr/bin/env python3
"""Checks what the flights pipeline said about one month, independently of pipelined.

usage: flights_oracle.py --csv 2013-10.csv --weather weather.csv --predictions FOLDER --model FOLDER
                         --evaluation evaluation.json [--auc-min 0.70]

Reads the delivered CSV files with pandas, joins the weather as join.sql does, and compares: the number
of rows and the labels with pandas; every score with XGBoost's own Python package (1e-6), from features
that pandas computed; AUC, precision and recall with scikit-learn on the exported predictions (1e-9).
Prints a line a comparison; exits non-zero if one fails.
"""
import argparse
import glob
import json
import os
import sys

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from sklearn import metrics as sk

from model_oracle import FAILURES, claim, compare, encoded, load, matrix

ORDER = ["month", "day", "sched_dep_time", "origin", "carrier", "flight", "dest"]
WEATHER = ["origin", "time_hour", "temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust",
           "precip", "pressure", "visib"]


def read_csv(path):
    return pd.read_csv(path, na_values=["", "NA"], keep_default_na=False)


def joined(flights_path, weather_path):
    """The rows that join.sql makes of one month."""
    flights = read_csv(flights_path)
    flights = flights[flights.arr_delay.notna()]
    rows = flights.merge(read_csv(weather_path)[WEATHER], on=["origin", "time_hour"], how="left")
    claim("an hour of an airport has one row of weather", len(rows) == len(flights))
    rows["late"] = rows.arr_delay > 30
    dates = pd.to_datetime(rows[["year", "month", "day"]])
    rows["weekday"] = (dates.dt.day_of_week + 1) % 7
    claim("the order of rows is decided by join.sql", not rows.duplicated(ORDER).any())
    return rows.sort_values(ORDER, kind="stable").reset_index(drop=True)


def read_parts(folder):
    """A Parquet file, or the parts of an artifact in order."""
    parts = sorted(glob.glob(os.path.join(folder, "*.parquet"))) or [folder]
    return pd.concat([pq.read_table(part).to_pandas() for part in parts], ignore_index=True)


def check_evaluation(path, predictions, auc_min):
    with open(path, encoding="utf-8") as file:
        evaluation = json.load(file)
    values = {entry["name"]: entry["value"] for entry in evaluation["metrics"]
              if entry["slice"] == "" and entry.get("threshold") in (None, 0.5)}
    label, score = predictions.label.to_numpy(dtype=bool), predictions.score.to_numpy()
    guess = score >= 0.5
    compare("rows of the evaluation", evaluation["rows"], len(predictions), 0)
    compare("auc", values["auc"], sk.roc_auc_score(label, score), 1e-9)
    compare("log_loss", values["log_loss"], sk.log_loss(label, score), 1e-9)
    compare("recall", values["recall"], sk.recall_score(label, guess), 1e-9)
    if values["precision"] is None:
        claim("precision has no value because nothing is called late", not guess.any())
    else:
        compare("precision", values["precision"], sk.precision_score(label, guess), 1e-9)
    claim(f"auc {values['auc']:.4f} is at least {auc_min}", values["auc"] >= auc_min)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--csv", required=True, help="the delivered flights of the month")
    parser.add_argument("--weather", required=True, help="the delivered weather")
    parser.add_argument("--predictions", required=True, help="exported predictions/1")
    parser.add_argument("--model", required=True, help="exported model/1")
    parser.add_argument("--evaluation", help="evaluation.json of the same step")
    parser.add_argument("--auc-min", type=float, default=0.0)
    arguments = parser.parse_args()

    rows = joined(arguments.csv, arguments.weather)
    predictions = read_parts(arguments.predictions)
    compare("rows of the predictions", len(predictions), len(rows), 0)
    if len(predictions) == len(rows):
        claim("labels, row by row",
              np.array_equal(predictions.label.to_numpy(dtype=bool), rows.late.to_numpy()))
        model, booster = load(arguments.model)
        signature = model["signature"]
        unknown = [one["name"] for one in signature if one["name"] not in rows]
        claim(f"pandas has every feature of the model ({len(signature)})", not unknown)
        if not unknown:
            theirs = booster.predict(matrix(encoded(rows, signature), signature))
            compare("scores", predictions.score, theirs, 1e-6)
    if arguments.evaluation:
        check_evaluation(arguments.evaluation, predictions, arguments.auc_min)
    if FAILURES:
        sys.exit(f"{len(FAILURES)} comparisons failed")


if __name__ == "__main__":
    main()
