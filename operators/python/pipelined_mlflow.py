"""Scores a pipelined model in MLflow, with the library that lies beside this file.

`mlflow.pyfunc.load_model` of a folder that `pipectl model export` wrote calls `_load_pyfunc`; what
comes back scores a pandas table with the same native code as pipelined itself.  Needs Linux on the
processor that the library was built for, numpy and pandas.
"""
import ctypes
import json
import os

import numpy as np
import pandas as pd

_NUMBER, _WHOLE, _TEXT = 1, 2, 3
_SAID = 1000


class _Column(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_int32), ("missing", ctypes.c_void_p), ("values", ctypes.c_void_p),
                ("ends", ctypes.c_void_p)]


def _library():
    library = ctypes.CDLL(os.path.join(os.path.dirname(os.path.abspath(__file__)), "libpipelined_score.so"))
    library.pipelined_score_open.restype = ctypes.c_void_p
    library.pipelined_score_open.argtypes = [ctypes.c_char_p, ctypes.c_char_p, ctypes.c_size_t]
    library.pipelined_score_close.argtypes = [ctypes.c_void_p]
    library.pipelined_score_describe.restype = ctypes.c_char_p
    library.pipelined_score_describe.argtypes = [ctypes.c_void_p]
    library.pipelined_score_rows.restype = ctypes.c_int
    library.pipelined_score_rows.argtypes = [ctypes.c_void_p, ctypes.c_int64, ctypes.POINTER(_Column),
                                             ctypes.c_void_p, ctypes.c_char_p, ctypes.c_size_t]
    return library


def _whole(name, kind, values, missing):
    """Whole numbers of a column of int, bool, date or time."""
    if kind in ("date", "time"):
        moments = pd.to_datetime(values, utc=True)
        moments = moments.dt.tz_localize(None).to_numpy().astype("datetime64[us]").astype(np.int64)
        return moments // 86_400_000_000 if kind == "date" else moments
    numbers = pd.to_numeric(values.where(~missing, 0)).to_numpy()
    whole = numbers.astype(np.int64)
    if not np.array_equal(whole, numbers):
        raise ValueError(f'column "{name}" ({kind}) has a value that is no whole number')
    if kind == "bool" and not np.isin(whole, (0, 1)).all():
        raise ValueError(f'column "{name}" (bool) has a value that is neither true nor false')
    return whole


class _Model:
    def __init__(self, folder):
        self._library = _library()
        said = ctypes.create_string_buffer(_SAID)
        self._model = self._library.pipelined_score_open(os.fsencode(folder), said, _SAID)
        if not self._model:
            raise ValueError(said.value.decode("utf-8", "replace"))
        self._about = json.loads(self._library.pipelined_score_describe(self._model))

    def __del__(self):
        if getattr(self, "_model", None):
            self._library.pipelined_score_close(self._model)

    def _column(self, column, entry, table, kept):
        name, kind = entry["name"], entry["type"]
        if name not in table.columns:
            if not entry["optional"]:
                raise ValueError(f'the rows have no column "{name}" ({kind}), which the model needs')
            return
        values = table[name].astype(object) if kind != "float" else table[name]
        missing = values.isna()
        if kind == "float":
            data = pd.to_numeric(values).to_numpy(dtype=np.float64, na_value=np.nan)
            column.kind = _NUMBER
        elif kind == "string":
            texts = ["" if gone else value for value, gone in zip(values, missing)]
            for text in texts:
                if not isinstance(text, str):
                    raise ValueError(f'column "{name}" (string) has a value that is no text')
            coded = [text.encode("utf-8") for text in texts]
            ends = np.cumsum([len(text) for text in coded], dtype=np.int64)
            data = np.frombuffer(b"".join(coded) + b"\0", dtype=np.uint8)
            column.kind, column.ends = _TEXT, ends.ctypes.data
            kept.append(ends)
        else:
            data = np.ascontiguousarray(_whole(name, kind, values, missing), dtype=np.int64)
            column.kind = _WHOLE
        gone = np.ascontiguousarray(missing.to_numpy(), dtype=np.uint8)
        data = np.ascontiguousarray(data)
        kept += [data, gone]
        column.missing, column.values = gone.ctypes.data, data.ctypes.data

    def predict(self, model_input, params=None):
        """Scores: one column a class, or one with the name of the label."""
        table = pd.DataFrame(model_input)
        entries = self._about["inputs"]
        columns, kept = (_Column * max(1, len(entries)))(), []
        for column, entry in zip(columns, entries):
            self._column(column, entry, table, kept)
        scores = np.empty((len(table), self._about["scores"]), dtype=np.float32)
        said = ctypes.create_string_buffer(_SAID)
        if not self._library.pipelined_score_rows(self._model, len(table), columns, scores.ctypes.data,
                                                  said, _SAID):
            raise ValueError(said.value.decode("utf-8", "replace"))
        names = self._about["classes"] if scores.shape[1] > 1 else [self._about["label"]]
        return pd.DataFrame(scores, columns=names, index=table.index)


def _load_pyfunc(path):
    return _Model(path)
