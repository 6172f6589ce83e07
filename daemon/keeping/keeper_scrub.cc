// Scrubs as jobs: all at once when somebody asks, in portions of some minutes by themselves.
#include <cstdlib>
#include <utility>

#include "daemon/keeping/keeper.h"

namespace pipelined {
namespace {

// "ID TIME": the artifact after which to go on (0: at the beginning), and when this round began.
constexpr const char* scrub_place = "scrub_place";
// Other jobs wait no longer than that for a scrub that nobody asked for.
constexpr std::int64_t portion_seconds = 120;

struct Place {
  std::int64_t after = 0;
  TimeMs began = 0;
};

Place place_in(Store& store) {
  const std::string text = store.meta(scrub_place).value_or("");
  char* rest = nullptr;
  Place place;
  place.after = std::strtoll(text.c_str(), &rest, 10);
  place.began = std::strtoll(rest, nullptr, 10);
  return place;
}

Result<void> set_place(Store& store, const Place& place) {
  return store.set_meta(scrub_place, std::to_string(place.after) + " " + std::to_string(place.began));
}

}  // namespace

bool Keeper::scrub_is_due(TimeMs now) {
  if (parts_.scrubbing.days <= 0) return false;
  const Place place = place_in(parts_.store);
  if (place.began == 0 || place.began > now) {
    static_cast<void>(set_place(parts_.store, {place.after, now}));
    return false;
  }
  if (place.after > 0) return true;
  if (now - place.began < parts_.scrubbing.days * 86'400'000) return false;
  return set_place(parts_.store, {0, now}).has_value();
}

void Keeper::start_scrub(const JobOrder& order) {
  read_ = std::make_shared<ScrubFound>();
  then_ = [this, portion = order.portion](Result<Report> read) {
    settle_scrub(portion, std::move(read));
  };
  ScrubOptions options;
  options.store = parts_.folder;
  options.bytes_per_second = parts_.scrubbing.mib_per_second << 20;
  options.stop = &stop_, options.progress = &progress_;
  if (order.portion) {
    options.after = place_in(parts_.store).after, options.seconds_max = portion_seconds;
  }
  copy_records([options, read = read_](Database& copy) -> Result<Report> {
    TRY(found, read_objects(copy, options));
    *read = std::move(found);
    return Report();
  });
}

void Keeper::settle_scrub(bool portion, Result<Report> read) {
  if (!read) return end(read.error());
  const std::int64_t last = read_->last;
  Scrub::Parts parts{parts_.store, parts_.artifacts, parts_.corrupt_found};
  scrub_ = std::make_unique<Scrub>(
      std::move(parts), std::move(*read_), parts_.now(), [this, portion, last](Result<Report> report) {
        if (report && portion) {
          const auto noted = set_place(parts_.store, {last, place_in(parts_.store).began});
          if (!noted) report = noted.error();
        }
        end(std::move(report));
      });
  scrub_->start();
}

}  // namespace pipelined
