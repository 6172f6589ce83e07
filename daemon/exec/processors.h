// Which processors attempts are bound to where no control group limits their time.
//
// An attempt that asked for fewer processors than there are gets as many of them, those with the
// fewest attempts.  Nothing is reserved: whoever decides how many attempts run does that.  Plain
// values, one thread.
#pragma once

#include <vector>

namespace pipelined {

class Processors {
 public:
  /// `ids`: those that attempts may use.
  explicit Processors(std::vector<int> ids) : ids_(std::move(ids)), users_(ids_.size(), 0) {}
  /// Those that this process may use.
  static Processors of_this_process();

  /// The processors for an attempt that asked for `cpus`; none: it is not bound.
  std::vector<int> take(double cpus);
  void give_back(const std::vector<int>& taken);

 private:
  std::vector<int> ids_, users_;
};

}  // namespace pipelined
