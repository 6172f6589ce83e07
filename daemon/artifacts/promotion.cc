#include "daemon/artifacts/promotion.h"

#include <fcntl.h>

#include <optional>

#include "daemon/artifacts/file_io.h"
#include "daemon/posix/fault.h"

namespace pipelined {
namespace {

// Up to here single syncs are cheaper than one sync of the whole file system.
constexpr std::int64_t single_syncs_max = 4;

/// One order on its way.
struct Work {
  std::string out;                       ///< the folder of outputs, below the store folder
  std::vector<DeliveredOutput> outputs;  ///< as order.outputs
  PromotionOutcome outcome;
  bool stands() const { return !outcome.error && outcome.refused.empty(); }
};

Result<void> look(int root, const PromotionOrder& order, Work& work) {
  work.out = order.folder + "/out";
  if (const int error = fault::at(fault::Place::promotion_look); error > 0) {
    return system_error("opening", work.out, error);
  }
  TRY(out, open_at(root, work.out, O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  for (const OutputSpec& output : order.outputs) {
    TRY(delivered, look_at_output(out.get(), output.port));
    if (!delivered.refused.empty()) {
      work.outcome.refused = delivered.refused;
      return {};
    }
    work.outputs.push_back(std::move(delivered));
  }
  return {};
}

template <class Visit>
void for_each_file(Work& work, Visit visit) {
  for (DeliveredOutput& output : work.outputs) {
    for (DeliveredFile& file : output.files) visit(file);
  }
}

/// Makes the small files of all orders durable; large ones are already.
void sync_contents(int root, std::vector<Work>& works) {
  std::int64_t small = 0;
  for (Work& work : works) {
    if (!work.stands()) continue;
    for_each_file(work, [&small](const DeliveredFile& file) {
      if (file.file.size <= sync_alone_bytes) ++small;
    });
  }
  std::optional<Error> failed;
  if (small > single_syncs_max) {
    if (auto synced = sync_file_system(root, "the store folder"); !synced) failed = synced.error();
  }
  for (Work& work : works) {
    if (!work.stands()) continue;
    if (failed) {
      work.outcome.error = failed;
      continue;
    }
    if (small > single_syncs_max) continue;
    for_each_file(work, [&work, root](const DeliveredFile& file) {
      if (file.file.size > sync_alone_bytes || work.outcome.error) return;
      auto opened = open_at(root, work.out + "/" + file.name, O_RDONLY | O_NOFOLLOW);
      auto synced = opened ? sync_file(opened->get(), file.name) : Result<void>(opened.error());
      if (!synced) work.outcome.error = synced.error();
    });
  }
}

/// Renames the files of one order into the store; all or none.
void place(ObjectFolder& objects, int root, Work& work, PromotionTotals& totals) {
  std::vector<const DeliveredFile*> moved;
  std::int64_t there = 0, bytes = 0;
  for_each_file(work, [&](const DeliveredFile& file) {
    if (work.outcome.error) return;
    const auto placed = objects.place(root, work.out + "/" + file.name, file.file);
    if (!placed) {
      work.outcome.error = placed.error();
    } else if (*placed == ObjectFolder::Placed::moved) {
      moved.push_back(&file);
      bytes += file.file.size;
    } else {
      ++there;
    }
  });
  if (work.outcome.error) {
    fault::at(fault::Place::promotion_take_back);
    for (const DeliveredFile* file : moved) {
      objects.take_back(root, work.out + "/" + file->name, file->file);
    }
    return;
  }
  totals.files += static_cast<std::int64_t>(moved.size());
  totals.bytes += bytes;
  totals.deduplicated += there;
}

void name_outputs(const PromotionOrder& order, Work& work) {
  for (std::size_t i = 0; i < work.outputs.size(); ++i) {
    if (!work.outputs[i].present) continue;
    PromotedOutput promoted{order.outputs[i].port, {}, {order.outputs[i].type, {}}};
    promoted.manifest.files.reserve(work.outputs[i].files.size());
    for (DeliveredFile& file : work.outputs[i].files) {
      promoted.manifest.files.push_back(std::move(file.file));
    }
    promoted.digest = promoted.manifest.digest();
    work.outcome.outputs.push_back(std::move(promoted));
  }
}

}  // namespace

std::vector<PromotionOutcome> promote_batch(ObjectFolder& objects, int root,
                                            const std::vector<PromotionOrder>& orders,
                                            PromotionTotals& totals) {
  std::vector<Work> works(orders.size());
  for (std::size_t i = 0; i < orders.size(); ++i) {
    auto looked = look(root, orders[i], works[i]);
    if (!looked) works[i].outcome.error = looked.error().within("promoting outputs");
  }
  sync_contents(root, works);
  fault::at(fault::Place::promotion_place);
  for (Work& work : works) {
    if (work.stands()) place(objects, root, work, totals);
  }
  fault::at(fault::Place::promotion_placed);
  const auto synced = objects.sync_folders();
  fault::at(fault::Place::promotion_done);
  for (std::size_t i = 0; i < orders.size(); ++i) {
    if (!synced && works[i].stands()) works[i].outcome.error = synced.error();
    if (works[i].stands()) name_outputs(orders[i], works[i]);
  }
  ++totals.batches;
  std::vector<PromotionOutcome> outcomes;
  outcomes.reserve(works.size());
  for (Work& work : works) outcomes.push_back(std::move(work.outcome));
  return outcomes;
}

}  // namespace pipelined
