// The Python module that an exported model is scored by in MLflow.
//
// The text of operators/python/pipelined_mlflow.py; the build puts it in.
#pragma once

namespace pipelined::cli {

extern const char* const mlflow_loader;

}  // namespace pipelined::cli
