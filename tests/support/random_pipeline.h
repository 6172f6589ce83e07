// Random pipelines over the fake operators, and what may happen to them between runs.
//
// Everything follows from the seed.  Used wherever a rule is compared with what the engine does on
// graphs that nobody thought of.  One thread.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "tests/support/engine_world.h"

namespace pipelined {

class RandomPipeline {
 public:
  explicit RandomPipeline(unsigned seed) : random_(seed) {
    const std::size_t count = 2 + below(9);
    for (std::size_t i = 0; i < count; ++i) add_step(i);
  }

  const std::string name = "random";

  std::string text() const {
    std::string all = "name = \"random\"\n[params]\np = " + std::to_string(p_) +
                      "\n[source.s]\npath = \"in/{SPAN}.csv\"\n";
    for (const Step& step : steps_) all += step.text + "salt = \"" + step.salt + "\"\n";
    return all;
  }

  /// Something happens: a delivery, a new version of the pipeline, a lost output, or nothing.
  void change(EngineWorld& world) {
    switch (below(6)) {
      case 0:
      case 1:
        world.arrive(name, "s", "2020-0" + std::to_string(1 + below(5)),
                     "content " + std::to_string(below(3)));
        break;
      case 2:
        steps_[below(steps_.size())].salt = std::to_string(below(3));
        world.apply(text());
        break;
      case 3:
        if (!world.ledger.results.empty()) {
          const auto& result = *std::next(world.ledger.results.begin(),
                                          static_cast<std::ptrdiff_t>(
                                              below(world.ledger.results.size())));
          for (const Binding& output : result.second.outputs) {
            world.ledger.lost.insert(output.artifact.digest);
          }
        }
        break;
      default: break;
    }
  }

  /// How the next run is asked for.
  RunOptions options() {
    RunOptions options;
    if (one_in(3)) options.params["p"] = Value(static_cast<std::int64_t>(below(3)));
    if (one_in(4)) options.force.push_back(steps_[below(steps_.size())].name);
    options.refresh = one_in(5);
    return options;
  }

  /// Which steps will halt or fail.
  void choose_verdicts(std::map<std::string, Outcome>& verdicts) {
    verdicts.clear();
    for (const Step& step : steps_) {
      const std::string path =
          step.fanned ? step.name + "/2020-0" + std::to_string(1 + below(5)) : step.name;
      if (one_in(10)) verdicts[path] = one_in(2) ? Outcome::failed : Outcome::halt;
    }
  }

 private:
  struct Step {
    std::string name, text, salt;
    bool fanned = false;
  };

  std::size_t below(std::size_t bound) { return random_() % bound; }
  bool one_in(std::size_t chances) { return below(chances) == 0; }

  std::string output_of(const Step& step) const {
    return step.text.find("operator = \"gate\"") == std::string::npos ? step.name
                                                                      : step.name + ".out";
  }

  void add_step(std::size_t number) {
    Step step;
    step.name = "s" + std::to_string(number);
    std::string inputs;
    const Step* over = steps_.empty() ? nullptr : &steps_[below(steps_.size())];
    if (over == nullptr && one_in(2)) {
      step.fanned = true;
      inputs = "foreach = \"source.s\"\noperator = \"single\"\nin.in = \"each\"\n";
    } else if (over == nullptr || one_in(6)) {
      inputs = "operator = \"one\"\n";
    } else if (over->fanned && one_in(2)) {
      step.fanned = true;
      inputs = "foreach = \"" + over->name + "\"\noperator = \"" +
               (one_in(3) ? "gate" : "single") + "\"\nin.in = \"" + output_of(*over) + "\"\n";
    } else {
      inputs = collecting(*over);
    }
    step.text = "[step." + step.name + "]\n" + inputs;
    if (one_in(3)) step.text += "params.p = \"${p}\"\n";
    if (one_in(12)) step.text += "cache = false\n";
    if (one_in(6) && !steps_.empty() && inputs.find("foreach") == std::string::npos) {
      step.text += "after = [\"" + steps_[below(steps_.size())].name + "\"]\n";
    }
    steps_.push_back(std::move(step));
  }

  /// A step that is not fanned out and reads this one, perhaps its past, and perhaps others.
  std::string collecting(const Step& over) {
    std::string text = "operator = \"many\"\n";
    if (over.fanned && one_in(4)) {
      text += "in.in = { newest = \"" + output_of(over) + "\" }\n";
    } else if (over.fanned && one_in(4)) {
      text += "in.in = { of = \"" + output_of(over) + "\", spans = \"last 2\" }\n";
    } else if (!over.fanned && one_in(6)) {
      text += "in.in = { latest = \"" + output_of(over) + "\", optional = true }\n";
    } else {
      text += "in.in = \"" + output_of(over) + "\"\n";
    }
    return text;
  }

  std::mt19937 random_;
  int p_ = 1;
  std::vector<Step> steps_;
};

}  // namespace pipelined
