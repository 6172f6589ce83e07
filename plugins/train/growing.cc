#include "plugins/train/growing.h"

#include <algorithm>

#include "plugins/train/trees_checkpoint.h"

namespace pipelined::train {

Result<Grown> grow(const sdk::Context& context, const Settings& settings,
                   const model::Signature& signature, const Matrix& training,
                   const Matrix* validation, const std::string& base, std::int64_t base_rounds) {
  std::vector<Watched> watched{{"training", &training}};
  if (validation) watched.push_back({"validation", validation});
  TRY(booster, Booster::make(watched, booster_parameters(settings, signature), settings.threads));
  Grown grown;
  grown.curve.loss = loss_of(signature.objective);
  for (const Watched& entry : watched) grown.curve.curves.push_back({entry.name, {}});
  const TreesCheckpoint checkpoint(context.scratch_path() / "trees");
  const std::string kept = settings.samples() ? std::string() : checkpoint.load(grown.curve);
  if (!kept.empty() || !base.empty()) TRY_VOID(booster.load(kept.empty() ? base : kept));
  auto round = static_cast<std::int64_t>(grown.curve.curves.front().losses.size());
  if (round > 0) context.metric("rounds_found", static_cast<double>(round));
  // Often enough that little is lost, seldom enough that writing costs little.
  const std::int64_t often = std::max<std::int64_t>(1, settings.rounds / 20);
  const auto enough = [&] { return grown.curve.is_enough(settings.early_stopping); };
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
  grown.rounds = settings.early_stopping > 0 ? grown.curve.best_round() : round;
  TRY(trees, grown.rounds == round ? booster.trees_ubj()
                                   : booster.trees_of_rounds(base_rounds + grown.rounds));
  grown.trees = std::move(trees);
  return grown;
}

}  // namespace pipelined::train
