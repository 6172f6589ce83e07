#include "model/shared/score_rows.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "model/model.h"
#include "model/onnx.h"

namespace {

using namespace pipelined;
using model::Cell;
using model::ColumnKind;

struct Opened {
  model::Model model;
  std::string description;
};

void say(char* said, std::size_t size, const std::string& sentence) {
  if (said == nullptr || size == 0) return;
  const std::size_t length = std::min(size - 1, sentence.size());
  std::memcpy(said, sentence.data(), length);
  said[length] = '\0';
}

std::string described(const model::Model& model) {
  nlohmann::ordered_json document;
  document["inputs"] = nlohmann::ordered_json::array();
  for (const model::ColumnInput& input : model.inputs()) {
    document["inputs"].push_back({{"name", input.name},
                                  {"type", model::name_of(input.kind)},
                                  {"optional", input.optional}});
  }
  document["label"] = model.signature().label.name;
  document["objective"] = model::name_of(model.signature().objective);
  document["classes"] = model.signature().label.classes;
  document["scores"] = model.signature().score_count();
  return document.dump();
}

Cell cell_of(const pipelined_column& column, ColumnKind kind, std::int64_t at) {
  const auto row = static_cast<std::size_t>(at);
  if (column.kind == pipelined_column_absent || column.missing[row] != 0) return std::monostate();
  switch (column.kind) {
    case pipelined_column_number: return static_cast<const double*>(column.values)[row];
    case pipelined_column_whole: {
      const std::int64_t value = static_cast<const std::int64_t*>(column.values)[row];
      if (kind == ColumnKind::boolean) return value != 0;
      return value;
    }
    case pipelined_column_text: {
      const std::int64_t begin = row == 0 ? 0 : column.ends[row - 1];
      return std::string_view(static_cast<const char*>(column.values) + begin,
                              static_cast<std::size_t>(column.ends[row] - begin));
    }
    default: return std::monostate();
  }
}

}  // namespace

#define PIPELINED_SHARED __attribute__((visibility("default")))

PIPELINED_SHARED void* pipelined_score_open(const char* folder, char* said,
                                            std::size_t said_size) {
  try {
    // An exported folder has it beside this library; another export's copy of this may be in memory already.
    model::look_for_onnx_runtime_in(std::string(folder) + "/../code");
    auto model = model::Model::load(folder);
    if (model) {
      std::string description = described(*model);
      return std::make_unique<Opened>(Opened{*std::move(model), std::move(description)}).release();
    }
    say(said, said_size, model.error().message);
  } catch (const std::exception& error) {
    say(said, said_size, std::string("the model cannot be read: ") + error.what());
  }
  return nullptr;
}

PIPELINED_SHARED void pipelined_score_close(void* model) {
  std::unique_ptr<Opened>(static_cast<Opened*>(model)).reset();
}

PIPELINED_SHARED const char* pipelined_score_describe(void* model) {
  return static_cast<const Opened*>(model)->description.c_str();
}

PIPELINED_SHARED int pipelined_score_rows(void* opened, std::int64_t rows,
                                          const pipelined_column* columns, float* scores,
                                          char* said, std::size_t said_size) {
  try {
    const model::Model& model = static_cast<const Opened*>(opened)->model;
    const auto& inputs = model.inputs();
    const std::size_t width = model.signature().score_count();
    std::vector<Cell> cells(inputs.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      for (std::size_t i = 0; i < cells.size(); ++i) {
        cells[i] = cell_of(columns[i], inputs[i].kind, row);
      }
      const std::span<float> into(scores + static_cast<std::size_t>(row) * width, width);
      if (const auto scored = model.score_cells(cells, into); !scored) {
        say(said, said_size, "row " + std::to_string(row + 1) + ": " + scored.error().message);
        return 0;
      }
    }
    return 1;
  } catch (const std::exception& error) {
    say(said, said_size, std::string("the rows cannot be scored: ") + error.what());
    return 0;
  }
}
