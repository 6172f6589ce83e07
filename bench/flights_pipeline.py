#!/usr/bin/env python3
"""The same model of the flights, once by the operators and once by a script in pandas.

usage: flights_pipeline.py BUILD FOLDER [TURNS]
       flights_pipeline.py --script TRAIN EVAL OUT TREES     the script alone; as a process of its own

Both read the same two Parquet files (a year's flights, every tenth day kept back), scale numbers, make
columns of categories, train 100 trees with the same parameters and two threads, score, measure with
scikit-learn's metrics of the operator's list and write model and scores.  The operators run one after the
other, each in a worker.  Peaks are those of the largest process.  What is not training is measured by
the same with one tree.  Threads of XGBoost wait without spinning in both: on a machine with other work
they are else several times slower.  Prints one line of JSON, an object a turn.
"""
import json
import os
import shutil
import subprocess
import sys
import time

NUMBERS = ["month", "day", "sched_dep_time", "sched_arr_time", "dep_delay", "distance", "hour", "minute"]
WORDS = ["carrier", "origin", "dest"]
TREES, THREADS, ROWS_OF_TRANSFORM = 100, 2, 1_000_000
FEATURES = {**{name: {"method": "number", "scale": "z_score", "impute": "mean"} for name in NUMBERS},
            **{name: {"method": "one_hot"} for name in WORDS}}


def script(train_path, eval_path, out, trees):
    import joblib
    import pandas as pd
    import xgboost
    from sklearn.compose import ColumnTransformer
    from sklearn.impute import SimpleImputer
    from sklearn.metrics import (accuracy_score, average_precision_score, balanced_accuracy_score,
                                 brier_score_loss, log_loss, matthews_corrcoef,
                                 precision_recall_fscore_support, roc_auc_score)
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    learned, kept_back = pd.read_parquet(train_path), pd.read_parquet(eval_path)
    encode = ColumnTransformer([
        ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), NUMBERS),
        ("words", OneHotEncoder(handle_unknown="ignore", sparse_output=False, dtype="float32"), WORDS)])
    matrix = xgboost.DMatrix(encode.fit_transform(learned), label=learned.late, nthread=THREADS)
    booster = xgboost.train({"objective": "binary:logistic", "tree_method": "hist", "max_depth": 6,
                             "eta": 0.1, "max_bin": 256, "nthread": THREADS}, matrix, int(trees))
    scores = booster.predict(xgboost.DMatrix(encode.transform(kept_back), nthread=THREADS))
    truth, said = kept_back.late, scores > 0.5
    os.makedirs(out, exist_ok=True)
    found = {"auc": roc_auc_score(truth, scores), "pr_auc": average_precision_score(truth, scores),
             "log_loss": log_loss(truth, scores), "brier": brier_score_loss(truth, scores),
             "accuracy": accuracy_score(truth, said), "mcc": matthews_corrcoef(truth, said),
             "balanced_accuracy": balanced_accuracy_score(truth, said),
             "prf": precision_recall_fscore_support(truth, said, average="binary")[:3]}
    booster.save_model(f"{out}/model.ubj")
    joblib.dump(encode, f"{out}/encode.joblib")
    kept_back.assign(score=scores).to_parquet(f"{out}/scores.parquet")
    print(json.dumps({"auc": found["auc"]}))


def measured(words):
    """Seconds, the largest resident memory and the output of a process."""
    begin = time.monotonic()
    environment = dict(os.environ, OMP_WAIT_POLICY="passive")
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment) as process:
        said = process.stdout.read()
        # The worker forks the attempt and waits for it: its usage has that of its child in it.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"{words[:4]}: {said}")
    return time.monotonic() - begin, usage.ru_maxrss * 1024, said


def operator(build, plugin, name, params, *ports):
    words = [f"{build}/bin/pipelined-worker", "run", f"{build}/plugins/{plugin}.so", name,
             "--cpus", str(THREADS), "--params", json.dumps(params)]
    for port in ports:
        words += ["--output" if port.startswith(">") else "--input", port.lstrip(">")]
    return measured(words)


def operators(build, folder, trees):
    made = f"{folder}/ours"
    shutil.rmtree(made, ignore_errors=True)
    os.makedirs(made)
    train, rest = (f"examples=examples/1:{folder}/{name}" for name in ("train", "eval"))
    steps = [
        operator(build, "transform", "transform.fit", {"features": FEATURES}, train,
                 f">transform=transform/1:{made}/transform"),
        operator(build, "train", "train.trees",
                 {"label": "late", "rounds": trees, "max_depth": 6, "threads": THREADS}, train,
                 f"transform=transform/1:{made}/transform", f">model=model/1:{made}/model"),
        operator(build, "model", "model.evaluate", {}, rest, f"model=model/1:{made}/model",
                 f">evaluation=evaluation/1:{made}/evaluation",
                 f">predictions=predictions/1:{made}/predictions")]
    with open(f"{made}/evaluation/evaluation.json", encoding="utf-8") as file:
        auc = next(metric["value"] for metric in json.load(file)["metrics"]
                   if metric["name"] == "auc" and metric["slice"] == "")
    return sum(step[0] for step in steps), max(step[1] for step in steps), auc


def main():
    if sys.argv[1:2] == ["--script"]:
        return script(*sys.argv[2:])
    if len(sys.argv) not in (3, 4):
        sys.exit(__doc__)
    from flights_limit import examples, write
    import pandas as pd
    build, folder = sys.argv[1:3]
    learned, kept_back = examples()
    write(learned, f"{folder}/train")
    write(kept_back, f"{folder}/eval")
    every = pd.concat([learned] * (ROWS_OF_TRANSFORM // len(learned) + 1))[:ROWS_OF_TRANSFORM]
    write(every, f"{folder}/million")
    part = "part-00000.parquet"
    turns = []
    for _ in range(int(sys.argv[3]) if len(sys.argv) == 4 else 5):
        turn = {}
        for name, trees in (("outside", 1), ("whole", TREES)):
            ours_s, ours_bytes, ours_auc = operators(build, folder, trees)
            theirs_s, theirs_bytes, said = measured([
                sys.executable, __file__, "--script", f"{folder}/train/{part}", f"{folder}/eval/{part}",
                f"{folder}/theirs", str(trees)])
            turn[name] = {"ours_s": ours_s, "theirs_s": theirs_s, "ours_bytes": ours_bytes,
                          "theirs_bytes": theirs_bytes, "ours_auc": ours_auc,
                          "theirs_auc": json.loads(said)["auc"]}
        shutil.rmtree(f"{folder}/applied", ignore_errors=True)
        turn["apply_s"], turn["apply_bytes"], _ = operator(
            build, "transform", "transform.apply", {}, f"examples=examples/1:{folder}/million",
            f"transform=transform/1:{folder}/ours/transform", f">examples=examples/1:{folder}/applied")
        turns.append(turn)
    print(json.dumps(turns))
    return None


if __name__ == "__main__":
    main()
