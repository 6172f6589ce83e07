// What lost attempts of resumable operators left in their scratch folders, for the next attempt.
//
// A checkpoint belongs to a key: the same operator, parameters and inputs, so whoever finds it would
// have written it itself.  While an attempt runs, its checkpoint is its scratch folder; which key it
// has stands in the name of an empty file outside the attempt's folder, where no operator can change
// it.  What is in a checkpoint is the operator's business: it may be torn, and it is never an output.
// Store thread, and the start before that thread runs.
#pragma once

#include <map>
#include <string>

#include "dag/result.h"

namespace pipelined {

class CheckpointFolder {
 public:
  /// Below the open folder `root`, which must outlive this.
  explicit CheckpointFolder(int root) : root_(root) {}

  /// Makes the folder.
  Result<void> create();
  /// Makes the key's checkpoint, if there is one, the attempt's scratch folder.
  Result<void> lend(const std::string& attempt, const std::string& key);
  /// Takes the attempt's scratch folder back; its work being `finished`, nothing is kept.  Does
  /// nothing for attempts that were lent none.
  void take_back(const std::string& attempt, bool finished);
  /// After a start: takes back what dead attempts had, and removes what nobody came for in 14 days.
  Result<void> recover();

 private:
  void take_back(const std::string& attempt, const std::string& key, bool finished);

  int root_;
  std::map<std::string, std::string> lent_;  ///< attempt → key
};

}  // namespace pipelined
