// The operator train.onnx: a model that was trained elsewhere as a model/1.
//
// Puts a file in the ONNX format beside what the model predicts and from what, and tries it once, so
// that a model that cannot be scored is refused where it comes in.  Knows no examples.
#pragma once

#include "operators/sdk.h"

namespace pipelined::train {

/// See the descriptor in plugin.cc.
Result<void> train_onnx(sdk::Context& context);

}  // namespace pipelined::train
