// Everything that must survive a crash, in one SQLite file.
//
// `Store` implements the ledger of the engine over state.db (tables: docs/formats.md).  One
// connection does every read, write and checkpoint; one turn is one transaction; a commit that
// returned success survives a power cut.  It decides nothing, retries nothing and knows neither
// processes nor the folder of objects (it asks an ObjectView).  Opening takes an exclusive lock on
// the file: a second process is refused.  Loop thread only.  Queries for people: views.h.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/ports.h"
#include "daemon/store/objects.h"
#include "dag/audit.h"
#include "dag/manifest.h"

namespace pipelined {

class Database;

/// A place that alerts are sent to, as the configuration names it.
struct AlertSink {
  std::string name;    ///< unique; part of a delivery's identity
  std::string kind;    ///< "webhook"
  std::string target;  ///< an address
  bool at_most_once = false;  ///< a message whose fate is not known is not sent again
};

/// A message to queue: about an alert, to a sink.
struct QueuedMessage {
  std::string sink;    ///< a sink's name
  std::string phase;   ///< of an alert that was told before: "repeat-1", "recovered"; else empty
  std::string group;   ///< what waits for the same sink in one group goes as one message
  std::int64_t wait_ms = 0;
};
/// Where a new alert goes.
using AlertRouter = std::function<std::vector<QueuedMessage>(const AlertRow&)>;

/// How a store is opened.
struct StoreOptions {
  std::string path;                ///< of state.db; its folder must exist
  std::vector<AlertSink> sinks;
  AlertRouter router;              ///< empty: each new alert is queued once for each sink
  std::string product_version;     ///< recorded, for people
  std::int64_t ballast_bytes = 4 << 20;  ///< kept free beside the database for a full disk; 0: none
  std::int64_t page_count_max = 0; ///< bounds the file, for tests; 0: not bounded
};

enum class DeliveryState { pending, claimed, done, given_up };

/// The word of a delivery's state in the database and for people.
const char* name_of(DeliveryState state);

/// One alert on its way to one sink.
struct Delivery {
  std::int64_t id = 0;
  AlertRow alert;
  std::vector<AlertRow> also;   ///< the others of its group
  std::string phase;            ///< "repeat-2", "recovered"; empty: the alert is new
  bool at_most_once = false;
  std::string sink, kind, target;
  DeliveryState state = DeliveryState::pending;
  std::int64_t tries = 0;       ///< claims so far, this one included
  TimeMs not_before = 0, updated_at = 0;
  std::string error;            ///< of the last try
};

/// The records.  Methods of LedgerStore and Ledger: see there.
class Store : public LedgerStore {
 public:
  /// Opens or creates the database, brings its schema up to date and checks it.  Errors:
  /// `unsupported` when a newer program wrote it, `conflict` when another process has it open,
  /// `corrupt` when the check fails, `exhausted` when there is no room to create it.  An existing
  /// database opens on a full disk too; only commits then fail.
  static Result<std::unique_ptr<Store>> open(const StoreOptions& options);
  /// Closes cleanly: an open turn is rolled back, the log is folded into the file.
  ~Store() override;

  /// Whose bytes the records describe.  Without one, `first_lost` finds nothing lost.  The view
  /// must outlive the store or be taken away with nullptr.
  void set_objects(ObjectView* objects);
  /// From now on new alerts are queued for these sinks; queued ones keep theirs.
  void set_sinks(std::vector<AlertSink> sinks, AlertRouter router = {});
  /// Queues messages about alerts that were told before and commits that; one that was queued
  /// already is passed over.  Says whether any was new.  REQUIRES: no open turn.
  Result<bool> queue_messages(
      const std::vector<std::pair<std::string, QueuedMessage>>& of_alerts, TimeMs now);

  Result<void> begin() override;
  /// Also records what `ObjectView::unrecorded` names.  Error codes: `exhausted` on a full disk,
  /// `io` when the disk failed (the caller should stop the process: the state of the file is then
  /// known only after a new start), `internal` when rows contradict each other.
  Result<void> commit() override;
  void rollback() override;
  Result<Recovered> recover() override;
  Result<void> probe() override;

  void put(const PipelineRow& row) override;
  void put(const ArrivalRow& row) override;
  void put(const SpanRow& row) override;
  void put(const RunRow& row) override;
  void put(const StepRow& row) override;
  void put(const AttemptRow& row) override;
  void put(const ResultRow& row) override;
  void put(const AcceptanceRow& row) override;
  void put(const ResolutionRow& row) override;
  void put(const AlertRow& row) override;
  void put(const DecisionRow& row) override;
  void put(const HoldRow& row) override;
  void put(const SlotRow& row) override;
  void put(const PollRow& row) override;
  void put(const InvalidationRow& row) override;
  void put(const BackfillRow& row) override;
  void put(const StepRequestRow& row) override;
  void put(const ModelVersionRow& row) override;
  void put(const ModelMarkRow& row) override;
  void mark_fired(const std::vector<std::int64_t>& arrivals, RunNumber run) override;

  std::optional<ResultRow> find_result(const Digest& key, std::int64_t before_seq) override;
  std::optional<PollRow> find_poll(const std::string& pipeline,
                                   const std::string& source) override;
  std::optional<ResultRow> find_result_by_id(std::int64_t id) override;
  std::optional<Digest> first_lost(const ResultRow& result) override;
  std::optional<ResultRow> nearest_result(const std::string& pipeline, const std::string& step,
                                          const std::string& element) override;
  std::optional<std::int64_t> find_duration(const std::string& pipeline,
                                            const std::string& step) override;
  std::optional<AcceptanceRow> find_acceptance(const Digest& key) override;
  std::optional<ResolutionRow> find_resolution(const Digest& scope,
                                               std::int64_t before_seq) override;
  std::vector<StepRow> finished_steps(const std::string& pipeline, const std::string& step,
                                      const std::string& element, bool full_only,
                                      std::int64_t before_seq, int offset, int limit) override;
  std::vector<Digest> ancestors(const Digest& artifact, int limit) override;
  std::vector<StepRow> steps_of(RunNumber run) override;
  std::optional<RunRow> find_run(RunNumber run) override;
  std::optional<SlotRow> find_slot(const std::string& pipeline, const std::string& trigger,
                                   const std::string& slot) override;
  std::optional<SlotRow> last_slot(const std::string& pipeline, const std::string& trigger,
                                   TimeMs not_after) override;
  std::vector<RunRow> ended_runs(const std::string& pipeline, int limit) override;
  std::optional<DecisionRow> last_decision(const std::string& pipeline,
                                           const std::string& kind) override;
  std::optional<ArrivalRow> find_arrival(std::int64_t number) override;
  std::optional<ArrivalRow> newest_span(const std::string& pipeline,
                                        const std::string& source) override;
  std::optional<InvalidationRow> find_invalidation(const Digest& key) override;
  bool is_bad(const Digest& artifact) override;
  std::vector<ResultRow> results_with_key(const Digest& key, std::int64_t after,
                                          int limit) override;
  std::vector<ResultRow> results_of_step(const std::string& pipeline, const std::string& step,
                                         const std::string& element, std::int64_t after,
                                         int limit) override;
  std::vector<ResultRow> results_from(const Digest& artifact, std::int64_t after,
                                      int limit) override;
  std::optional<ResultRow> find_maker(const Digest& artifact) override;
  std::optional<ModelVersionRow> newest_model(const std::string& model) override;
  std::optional<ModelVersionRow> find_model(const std::string& model,
                                            const ModelVersion& version) override;
  std::optional<ModelVersionRow> find_model_content(const std::string& model,
                                                    const Digest& content) override;
  std::vector<ModelMarkRow> model_marks(const std::string& model, const std::string& kind,
                                        const std::string& subject) override;

  /// Records an artifact in the open turn; one that is known already stays, without its tombstone.
  void put_artifact(const Manifest& manifest);
  /// The manifest of an artifact, if it is recorded or about to be.
  std::optional<Manifest> find_manifest(const Digest& artifact);

  /// Takes deliveries that are due for sending and commits that.  REQUIRES: no open turn.
  Result<std::vector<Delivery>> claim_deliveries(TimeMs now, int limit);
  /// The sink took it.  REQUIRES: no open turn.
  Result<void> mark_delivered(std::int64_t delivery, TimeMs now);
  /// The sink did not take it; try again at `next_try`.  REQUIRES: no open turn.
  Result<void> mark_undelivered(std::int64_t delivery, TimeMs now, TimeMs next_try,
                                const std::string& error);
  /// No further try will be made.  REQUIRES: no open turn.
  Result<void> give_up_delivery(std::int64_t delivery, TimeMs now, const std::string& error);
  /// When the next delivery is due; nothing: none is waiting.
  std::optional<TimeMs> next_delivery();

  /// A fact about the state folder: "instance", "created_at", "product_version" and what others put.
  std::optional<std::string> meta(const std::string& key);
  /// Commits one fact.  REQUIRES: no open turn.
  Result<void> set_meta(const std::string& key, const std::string& value);

  /// Adds a line to the audit log as part of the open turn; number, `previous` and `digest` are
  /// filled in.  Reading it: daemon/store/audit.h.
  void append_audit(AuditRow row);
  /// The same as a turn of its own.  REQUIRES: no open turn.
  Result<void> record_audit(AuditRow row);

  /// Reads the whole file and its rules; minutes on a large one.  The sentences say what is wrong.
  std::vector<std::string> check();
  /// A consistent copy in a new file that must not exist yet.  REQUIRES: no open turn.
  Result<void> back_up(const std::string& path);

  /// What is remembered of rows must be read again: somebody else changed or removed some.
  void forget_cached();
  /// The connection, for the files of this folder and daemon/keeping only.
  Database& database();

 private:
  struct State;
  void recover_backfills(Recovered& found);
  explicit Store(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace pipelined
