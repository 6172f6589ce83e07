#include "plugins/train/learning_curve.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace pipelined::train {
namespace {

Result<void> write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream stream(path, std::ios::binary);
  stream << bytes;
  if (stream.flush()) return {};
  return Error{ErrorCode::io, "cannot write " + path.filename().string()};
}

std::string json_of(const LearningCurve& curve) {
  nlohmann::json document{{"loss", curve.loss}, {"curves", nlohmann::json::array()}};
  for (const Curve& one : curve.curves) {
    document["curves"].push_back({{"name", one.name}, {"losses", one.losses}});
  }
  return document.dump() + "\n";
}

}  // namespace

Result<void> write_learning_curve(const LearningCurve& curve, const std::string& title,
                                  const std::filesystem::path& folder) {
  (void)title;
  return write_file(folder / "learning_curve.json", json_of(curve));
}

}  // namespace pipelined::train
