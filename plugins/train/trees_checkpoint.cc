#include "plugins/train/trees_checkpoint.h"

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace pipelined::train {

using nlohmann::json;

Result<void> TreesCheckpoint::save(const std::string& trees, const LearningCurve& curve) const {
  json losses = json::array();
  for (const Curve& one : curve.curves) losses.push_back(one.losses);
  const json document{{"trees", json::binary({trees.begin(), trees.end()})}, {"losses", losses}};
  const std::vector<std::uint8_t> bytes = json::to_cbor(document);
  std::filesystem::path next = path_;
  next += ".next";
  std::ofstream stream(next, std::ios::binary | std::ios::trunc);
  stream.write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
  stream.close();
  std::error_code error;
  if (stream) std::filesystem::rename(next, path_, error);
  if (stream && !error) return {};
  return Error{ErrorCode::io, "cannot keep a checkpoint in the scratch folder"};
}

std::string TreesCheckpoint::load(LearningCurve& curve) const {
  std::ifstream stream(path_, std::ios::binary);
  const std::string bytes(std::istreambuf_iterator<char>(stream), {});
  const json document = json::from_cbor(bytes, true, false);
  if (!document.is_object() || !document.contains("trees") || !document.contains("losses")) {
    return {};
  }
  const json& losses = document["losses"];
  if (!document["trees"].is_binary() || losses.size() != curve.curves.size()) return {};
  for (std::size_t i = 0; i < losses.size(); ++i) {
    curve.curves[i].losses = losses[i].get<std::vector<double>>();
  }
  const auto& trees = document["trees"].get_binary();
  return {trees.begin(), trees.end()};
}

}  // namespace pipelined::train
