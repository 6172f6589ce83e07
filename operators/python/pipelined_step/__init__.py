"""Steps of pipelined in Python.

A step is a function whose arguments are named like its ports; `python.call` starts the script:

    from pipelined_step import step, Halt

    @step
    def main(rows, out):
        out.table("clean", rows.table().drop_nulls())

    [step.clean]
    operator  = "python.call"
    in.code   = { file = "clean.py" }
    in.rows   = "ingest"
    out.clean = "examples/1"

The words `port=PATH` give an input, `port>PATH` an output, `name:=JSON` an argument.  Everything that decides
what comes out must be an input, a parameter or a file named in the pipeline: the step's key covers
these, and the interpreter itself; packages that are imported are not in it.
"""
import inspect
import json
import os
import shutil
import sys

import pyarrow as pa
import pyarrow.dataset
import pyarrow.parquet

__all__ = ["Halt", "Input", "Outputs", "Retry", "run", "step"]

_ROW_GROUP_CELLS = 1_000_000


class Halt(Exception):
    """The data are wrong: what depends on the step waits for a person."""


class Retry(Exception):
    """Something that the step needs is not there now."""


class _Wrong(Exception):
    """What the pipeline gave does not fit the function."""


class Input:
    """An artifact, or several, at one port."""

    def __init__(self, port, paths):
        self.port, self.paths = port, paths

    @property
    def path(self):
        """The one path; an error if there are several."""
        if len(self.paths) != 1:
            raise _Wrong(f"input {self.port} has {len(self.paths)} artifacts, one is expected")
        return self.paths[0]

    def dataset(self):
        """The rows as an Arrow dataset, for what is larger than memory."""
        files = []
        for path in self.paths:
            # An artifact of one file comes as that file, else as its folder.
            names = [path] if os.path.isfile(path) else [os.path.join(path, name)
                                                         for name in sorted(os.listdir(path))]
            files += [name for name in names if name.endswith(".parquet")]
        if not files:
            raise _Wrong(f"input {self.port} has no Parquet part")
        return pa.dataset.dataset(files, format="parquet")

    def table(self):
        """All rows as an Arrow table."""
        return self.dataset().to_table()

    def json(self, name):
        """A JSON file of the artifact."""
        path = self.path if os.path.isfile(self.path) else os.path.join(self.path, name)
        with open(path, encoding="utf-8") as file:
            return json.load(file)


def _examples_type(name, kind):
    types = pa.types
    if types.is_boolean(kind) or types.is_date32(kind) or kind == pa.string():
        return kind
    if types.is_integer(kind):
        return pa.int64()
    if types.is_floating(kind):
        return pa.float64()
    if types.is_large_string(kind) or types.is_dictionary(kind) and types.is_string(kind.value_type):
        return pa.string()
    if types.is_timestamp(kind):
        return pa.timestamp("us", tz=kind.tz and "UTC")
    if types.is_null(kind):
        return pa.string()
    raise _Wrong(f"column {name} is of type {kind}; examples hold int, float, bool, string, date and time")


class Outputs:
    """Where the step's results go."""

    def __init__(self, paths):
        self._paths = paths

    def path(self, port):
        """A path that does not exist yet, for a file or folder of any kind."""
        if port not in self._paths:
            raise _Wrong(f"the step declares no output {port}")
        return self._paths[port]

    def table(self, port, table):
        """Writes examples/1: equal tables give equal bytes."""
        schema = pa.schema([(field.name, _examples_type(field.name, field.type))
                            for field in table.schema])
        folder = self.path(port)
        os.makedirs(folder)
        rows = max(1, _ROW_GROUP_CELLS // max(1, len(schema)))
        pa.parquet.write_table(table.cast(schema).combine_chunks(),
                               os.path.join(folder, "part-00000.parquet"),
                               compression="zstd", compression_level=3, row_group_size=rows)

    def json(self, port, name, value):
        """Writes one JSON file with sorted keys into the artifact."""
        folder = self.path(port)
        os.makedirs(folder, exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(value, file, sort_keys=True, indent=1)
            file.write("\n")

    def linear_model(self, port, features, intercepts, weights, label, objective, classes=None,
                     transform=None, training=None):
        """Writes a model/1 of kind linear, which every scoring of pipelined takes.

        `features` are names of number columns, or None with `transform`, the path of a transform/1
        whose outputs are the features; `weights` has a list a score; `label` is (name, type).
        """
        model = {"kind": "linear", "linear": "linear.json", "objective": objective,
                 "label": {"name": label[0], "type": label[1]}, "training": training or {}}
        if classes is not None:
            model["label"]["classes"] = [str(word) for word in classes]
        if transform is not None:
            source = transform if os.path.isdir(transform) else os.path.dirname(transform)
            with open(os.path.join(source, "transform.json"), encoding="utf-8") as file:
                declared = json.load(file)
            features = [output["name"] for output in declared["outputs"]]
            model.update(transform="transform.json", inputs=declared["inputs"])
        model["signature"] = [{"name": name, "type": "float"} for name in features]
        lists = [[float(value) for value in group] for group in weights]
        if len(lists) != len(intercepts) or any(len(group) != len(features) for group in lists):
            raise _Wrong(f"a linear model of {len(features)} features needs as many weights a score")
        self.json(port, "model.json", model)
        self.json(port, "linear.json", {"intercepts": [float(value) for value in intercepts],
                                        "weights": lists})
        if transform is not None:
            for name in ("transform.json", declared.get("vectors")):
                if name:
                    shutil.copyfile(os.path.join(source, name), os.path.join(self.path(port), name))


def _arguments(words):
    inputs, outputs, parameters = {}, {}, {}
    port = None
    for word in words:
        head = word[:len(word) - len(word.lstrip("abcdefghijklmnopqrstuvwxyz0123456789_"))]
        rest = word[len(head):]
        if head and rest.startswith(":="):
            parameters[head] = json.loads(rest[2:])
        elif head and rest.startswith("="):
            port = head
            inputs.setdefault(port, [])
            if rest[1:]:
                inputs[port].append(rest[1:])
        elif head and rest.startswith(">"):
            outputs[head] = rest[1:]
        elif port is not None:
            inputs[port].append(word)  # of a port with many artifacts: rows= PATH PATH …
        else:
            raise _Wrong(f"argument '{word}' is none of port=PATH, port>PATH, name:=JSON")
    return inputs, outputs, parameters


def run(function, words):
    """Calls the function as the words say; the exit code of the step."""
    try:
        inputs, outputs, parameters = _arguments(words)
        given = {port: Input(port, paths) for port, paths in inputs.items()}
        given.update(parameters)
        wanted = inspect.signature(function).parameters
        if "out" in wanted:
            given["out"] = Outputs(outputs)
        for name, parameter in wanted.items():
            if name not in given and parameter.default is inspect.Parameter.empty:
                raise _Wrong(f"the function takes '{name}', and the step gives no such input or parameter")
        for name in given:
            if name not in wanted:
                raise _Wrong(f"the step gives '{name}', which the function does not take")
        function(**given)
        return 0
    except Halt as halt:
        print(halt, file=sys.stderr)
        return 65
    except Retry as retry:
        print(retry, file=sys.stderr)
        return 75
    except (_Wrong, json.JSONDecodeError) as wrong:
        print(f"{os.path.basename(sys.argv[0])}: {wrong}", file=sys.stderr)
        return 1


def step(function):
    """Decorator: runs the function when its script is started."""
    caller = inspect.stack()[1].frame.f_globals
    if caller.get("__name__") == "__main__":
        sys.exit(run(function, sys.argv[1:]))
    return function
