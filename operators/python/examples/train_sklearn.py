"""Trains scikit-learn's logistic regression on the numbers of a transform and writes a model/1."""
import numpy as np
from pipelined_step import Halt, step
from sklearn.linear_model import LogisticRegression


@step
def main(rows, transform, out, label, strength=1.0):
    table = rows.table()
    target = np.array(table[label].to_pylist())
    if len(set(target.tolist())) < 2:
        raise Halt(f"all rows have the same {label}: there is nothing to learn")
    names = [output["name"] for output in transform.json("transform.json")["outputs"]]
    matrix = np.column_stack([table[name].to_numpy() for name in names])
    model = LogisticRegression(C=strength, max_iter=5000, tol=1e-10).fit(matrix, target)
    out.linear_model("model", None, model.intercept_, model.coef_, label=(label, "bool"),
                     objective="binary:logistic", transform=transform.path,
                     training={"operator": "scikit-learn", "parameters": {"C": strength},
                               "rows": table.num_rows})
