#include "plugins/train/growing.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

namespace pipelined::train {
namespace {

using nlohmann::json;

const char* loss_of(model::Objective objective) {
  switch (objective) {
    case model::Objective::binary_logistic: return "logloss";
    case model::Objective::multi_softprob: return "mlogloss";
    case model::Objective::squared_error: return "rmse";
    case model::Objective::poisson: return "poisson-nloglik";
  }
  return "";
}

// Trees and losses after some rounds, in one file that is whole or not there.
class Checkpoint {
 public:
  explicit Checkpoint(std::filesystem::path path) : path_(std::move(path)) {}

  Result<void> save(const std::string& trees, const LearningCurve& curve) const {
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

  // The trees, and their losses into `curve`; nothing if there is none that can be read.
  std::string load(LearningCurve& curve) const {
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

 private:
  std::filesystem::path path_;
};

// The round with the least loss, counted from 1; the first of several.
std::int64_t best_round(const std::vector<double>& losses) {
  return std::min_element(losses.begin(), losses.end()) - losses.begin() + 1;
}

}  // namespace

Result<Grown> grow(const sdk::Context& context, const Settings& settings,
                   const model::Signature& signature, const Matrix& training,
                   const Matrix* validation, const std::string& base, std::int64_t base_rounds) {
  std::vector<Watched> watched{{"training", &training}};
  if (validation) watched.push_back({"validation", validation});
  TRY(booster, Booster::make(watched, booster_parameters(settings, signature), settings.threads));
  Grown grown;
  grown.curve.loss = loss_of(signature.objective);
  for (const Watched& entry : watched) grown.curve.curves.push_back({entry.name, {}});
  const Checkpoint checkpoint(context.scratch_path() / "trees");
  const std::string kept = settings.samples() ? std::string() : checkpoint.load(grown.curve);
  if (!kept.empty() || !base.empty()) TRY_VOID(booster.load(kept.empty() ? base : kept));
  auto round = static_cast<std::int64_t>(grown.curve.curves.front().losses.size());
  if (round > 0) context.metric("rounds_found", static_cast<double>(round));
  // Often enough that little is lost, seldom enough that writing costs little.
  const std::int64_t often = std::max<std::int64_t>(1, settings.rounds / 20);
  const auto& judged = grown.curve.curves.back().losses;
  const auto enough = [&] {
    return settings.early_stopping > 0 && !judged.empty() &&
           static_cast<std::int64_t>(judged.size()) - best_round(judged) >= settings.early_stopping;
  };
  for (; round < settings.rounds && !enough(); ++round) {
    if (context.cancelled()) {
      return Error{ErrorCode::cancelled, "stopped after " + std::to_string(round) + " of " +
                                             std::to_string(settings.rounds) + " rounds"};
    }
    TRY_VOID(booster.grow(base_rounds + round, training));
    TRY(losses, booster.losses(base_rounds + round, watched));
    for (std::size_t i = 0; i < losses.size(); ++i) {
      grown.curve.curves[i].losses.push_back(losses[i]);
    }
    if (!settings.samples() && (round + 1) % often == 0) {
      TRY(trees, booster.trees_ubj());
      TRY_VOID(checkpoint.save(trees, grown.curve));
    }
    context.progress(round + 1, settings.rounds);
  }
  grown.stopped_early = enough();
  grown.rounds = settings.early_stopping > 0 ? best_round(judged) : round;
  TRY(trees, grown.rounds == round ? booster.trees_ubj()
                                   : booster.trees_of_rounds(base_rounds + grown.rounds));
  grown.trees = std::move(trees);
  return grown;
}

}  // namespace pipelined::train
