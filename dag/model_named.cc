#include "dag/model_named.h"

#include <algorithm>

#include "dag/model_version.h"

namespace pipelined {

std::optional<std::pair<std::string, std::string>> parse_model_name(const std::string& text) {
  const std::size_t at = text.find('@');
  if (at == std::string::npos) return std::nullopt;
  const std::string model = text.substr(0, at), word = text.substr(at + 1);
  if (!is_model_word(model)) return std::nullopt;
  if (!is_model_word(word) && !parse_model_version(word)) return std::nullopt;
  return std::pair(model, word);
}

std::optional<ArtifactRef> model_named(Ledger& ledger, const std::string& model,
                                       const std::string& word, std::int64_t seq) {
  auto version = parse_model_version(word);
  if (!version) {
    auto marks = ledger.model_marks(model, "alias", word);
    std::erase_if(marks, [&](const ModelMarkRow& mark) { return mark.seq > seq; });
    version = parse_model_version(aliased(marks));
  }
  if (!version) return std::nullopt;
  const auto row = ledger.find_model(model, *version);
  if (!row || row->seq > seq) return std::nullopt;
  for (const Binding& binding : row->artifacts) {
    if (binding.port == "model" && !ledger.is_bad(binding.artifact.digest)) return binding.artifact;
  }
  return std::nullopt;
}

}  // namespace pipelined
