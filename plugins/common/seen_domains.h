// What a training sees of the columns that its model will read: their value domains.
//
// Fed batch by batch beside the training itself; keeps a range of each number, date and time, and the
// words of texts up to a bound.  The order of rows decides nothing.  Knows no files.  Belongs to one
// thread.
#pragma once

#include <arrow/type_fwd.h>

#include <set>
#include <string>
#include <vector>

#include "model/domain.h"
#include "operators/sdk.h"

namespace pipelined {

class SeenDomains {
 public:
  /// `list_words`: also of texts; not where a signature has their categories anyway.
  SeenDomains(std::vector<model::ColumnInput> inputs, bool list_words);
  /// Goes on from what an earlier training saw.
  SeenDomains(std::vector<model::ColumnInput> inputs, bool list_words,
              const std::vector<model::InputDomain>& earlier);

  /// Takes all rows of a batch in.  Columns that it lacks, or of another kind, are left to whoever
  /// reads their values.
  void add(const arrow::RecordBatch& batch);

  /// The domains, one an input, as declared by the parameters `optional` and `closed` of the step.
  /// Errors: a name that is no input, a closed text with more words than are listed.
  Result<std::vector<model::InputDomain>> take(const sdk::Context& context);

 private:
  struct Seen {
    model::InputDomain domain;
    std::set<std::string, std::less<>> words;
    bool too_many = false;
  };

  std::vector<model::ColumnInput> inputs_;
  std::vector<Seen> seen_;
  bool list_words_ = false;
};

}  // namespace pipelined
