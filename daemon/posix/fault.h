// Places where a test may make something go wrong: the list of them, and the hook.
//
// Every place is in the one list below; the code visits it with `fault::at`.  Nothing is armed
// unless `arm` was called, which main does only with --allow-faults and PIPELINED_FAULT; until then
// a visit is one relaxed load.  A place is a *moment* (only a kill makes sense) or a *call*, which
// may be told to fail with an errno.  This knows nothing of what happens at the places.  Any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

#include "dag/result.h"

// name of the enumerator, name for people, whether it is a call, what is about to happen there
#define PIPELINED_FAULT_PLACES(X)                                                              \
  X(start_locked, "start.locked", false, "the state folder is taken, nothing is open")         \
  X(start_store, "start.store", false, "the database is open")                                 \
  X(start_artifacts, "start.artifacts", false, "what dead attempts left is cleared away")      \
  X(start_recovered, "start.recovered", false, "the engine is built from the rows")            \
  X(start_ready, "start.ready", false, "requests are taken")                                   \
  X(stop_begins, "stop.begins", false, "a clean stop begins")                                  \
  X(stop_drained, "stop.drained", false, "a clean stop has no attempt left")                   \
  X(turn_begin, "turn.begin", true, "before BEGIN of a turn")                                  \
  X(turn_commit, "turn.commit", true, "before COMMIT of a turn")                               \
  X(turn_committed, "turn.committed", false, "after COMMIT, before any effect")                \
  X(turn_performed, "turn.performed", false, "after the effects of a turn")                    \
  X(record_commit, "record.commit", true, "before COMMIT of a small record")                   \
  X(record_committed, "record.committed", false, "after COMMIT of a small record")             \
  X(probe, "store.probe", true, "before the trial write of a daemon that cannot record")       \
  X(ballast_fill, "ballast.fill", true, "before the reserve on disk is made")                  \
  X(ballast_release, "ballast.release", false, "before the reserve on disk is given up")       \
  X(wal_open, "wal.open", true, "before the log of the database is opened")                    \
  X(wal_write, "wal.write", true, "before a write to the log of the database")                 \
  X(wal_written, "wal.written", false, "after a write to the log of the database")             \
  X(wal_sync, "wal.sync", true, "before the log of the database is made durable")              \
  X(wal_synced, "wal.synced", false, "after the log of the database is durable")               \
  X(database_write, "database.write", true, "before a write to the database itself")           \
  X(database_written, "database.written", false, "after a write to the database itself")       \
  X(database_sync, "database.sync", true, "before the database itself is made durable")        \
  X(database_synced, "database.synced", false, "after the database itself is durable")         \
  X(reply_send, "reply.send", false, "an answer is recorded and not yet sent")                 \
  X(reply_sent, "reply.sent", false, "an answer was handed to the server")                     \
  X(outbox_claim, "outbox.claim", true, "before deliveries are claimed")                       \
  X(outbox_claimed, "outbox.claimed", false, "after deliveries are claimed, before sending")   \
  X(outbox_send, "outbox.send", true, "before an alert is sent")                               \
  X(outbox_sent, "outbox.sent", false, "the receiver has answered, nothing is marked")         \
  X(outbox_mark, "outbox.mark", true, "before a delivery is marked")                           \
  X(outbox_marked, "outbox.marked", false, "after a delivery is marked")                       \
  X(delivery_settled, "delivery.settled", false, "a delivered file has come to rest")          \
  X(delivery_stored, "delivery.stored", false, "a delivered file is in the store")             \
  X(delivery_posted, "delivery.posted", false, "an arrival waits for its turn")                \
  X(poll_start, "poll.start", false, "a poll of a database is due, nobody was asked")          \
  X(poll_ended, "poll.ended", false, "a poll's worker has ended, nothing is stored")           \
  X(poll_stored, "poll.stored", false, "what a poll brought is in the store")                  \
  X(poll_posted, "poll.posted", false, "the end of a poll waits for its turn")                 \
  X(seen_write, "seen.write", true, "before the list of files taken is written")               \
  X(seen_rename, "seen.rename", true, "before the list of files taken gets its name")          \
  X(seen_renamed, "seen.renamed", false, "after the list of files taken has its name")         \
  X(intake_open, "intake.open", true, "before a delivered file is opened")                     \
  X(intake_create, "intake.create", true, "before the copy of a delivered file is made")       \
  X(intake_mode, "intake.mode", true, "before the copy is made read-only")                     \
  X(intake_place, "intake.place", false, "the copy is durable and has no name yet")            \
  X(text_create, "text.create", true, "before a file of a pipeline version is made")           \
  X(text_place, "text.place", false, "the files are durable and have no names yet")            \
  X(file_read, "file.read", true, "before a piece of a file is read")                          \
  X(file_write, "file.write", true, "before a piece of a file is written")                     \
  X(file_sync, "file.sync", true, "before a file or folder is made durable")                   \
  X(file_synced, "file.synced", false, "after a file or folder is durable")                    \
  X(system_sync, "system.sync", true, "before a whole file system is made durable")            \
  X(system_synced, "system.synced", false, "after a whole file system is durable")             \
  X(object_rename, "object.rename", true, "before an object gets its name")                    \
  X(object_renamed, "object.renamed", false, "after an object has its name")                   \
  X(object_verify, "object.verify", true, "before an object is read to be believed")           \
  X(object_quarantine, "object.quarantine", true, "before a wrong object is set apart")        \
  X(object_quarantined, "object.quarantined", false, "after a wrong object is set apart")      \
  X(object_touch, "object.touch", true, "before an old object that is reused is made young")   \
  X(promotion_look, "promotion.look", true, "before outputs are looked at")                    \
  X(promotion_place, "promotion.place", false, "outputs are durable and have no names yet")    \
  X(promotion_placed, "promotion.placed", false, "outputs have names that are not durable")    \
  X(promotion_done, "promotion.done", false, "outputs and their names are durable")            \
  X(promotion_take_back, "promotion.take_back", false, "before a batch is taken back")         \
  X(tree_build, "tree.build", true, "before a tree for reading is begun")                      \
  X(tree_link, "tree.link", true, "before a file of a tree is linked")                         \
  X(tree_rename, "tree.rename", true, "before a tree gets its name")                           \
  X(tree_renamed, "tree.renamed", false, "after a tree has its name")                          \
  X(attempt_make, "attempt.make", true, "before an attempt's folder is made")                  \
  X(attempt_made, "attempt.made", false, "after an attempt's folder is made")                  \
  X(attempt_reuse, "attempt.reuse", true, "before an empty folder is used again")              \
  X(attempt_clear, "attempt.clear", false, "before an ended attempt is cleared away")          \
  X(attempt_cleared, "attempt.cleared", false, "after an ended attempt is cleared away")       \
  X(log_keep, "log.keep", true, "before an attempt's log is moved to its place")               \
  X(removal_unlink, "removal.unlink", true, "before a file is removed")                        \
  X(leftovers_clear, "leftovers.clear", true, "before what a dead daemon left is removed")     \
  X(host_spawn, "host.spawn", true, "before a worker host is started")                         \
  X(host_spawned, "host.spawned", false, "after a worker host is started")                     \
  X(host_send, "host.send", false, "before frames are sent to a host")                         \
  X(host_sent, "host.sent", false, "after frames are sent to a host")                          \
  X(host_ended, "host.ended", false, "a host reports that an attempt ended")                   \
  X(host_kill, "host.kill", false, "before an attempt is told to stop")                        \
  X(watch_scan, "watch.scan", true, "before a folder is listed")                               \
  X(watch_read, "watch.read", false, "before events of folders are read")

namespace pipelined::fault {

/// Where something can go wrong.
enum class Place : std::uint8_t {
#define PIPELINED_FAULT_ENUMERATOR(name, ...) name,
  PIPELINED_FAULT_PLACES(PIPELINED_FAULT_ENUMERATOR)
#undef PIPELINED_FAULT_ENUMERATOR
};

/// What `at` may answer besides 0 and an errno.
constexpr int half = -1;     ///< a write takes only a part of what it is given
constexpr int pretend = -2;  ///< a sync says that it did what it did not do

/// Whether anything is armed.  Read on every visit, written once before threads are started.
inline std::atomic<bool> armed{false};

/// The slow path of `at`.
int visit(Place place);

/// To be called at a place.  0: go on.  More than 0: fail as if the system had said this errno.
inline int at(Place place) { return armed.load(std::memory_order_relaxed) ? visit(place) : 0; }

/// Arms what the text says: `PLACE:ACTION[:N[+]]`, several with commas.  The action strikes at the
/// N-th visit (1), with `+` at every later one too; `*` is any place.  Actions: kill, eio, enospc,
/// half, pretend, lose, tear (the last two are power cuts: what is not durable is lost or torn).
/// `hits` (may be empty) names a file to which each place is appended when it is visited first.
Result<void> arm(const std::string& text, const std::string& hits, std::uint64_t seed);

/// All places, a line each: name, `call` or `moment`, and the sentence.
std::string list();

/// Whether a power cut is armed, so that what is not durable has to be remembered.
bool remembers_unsynced();
/// Something to be done to unsynced bytes at a power cut, before the process is killed.
/// `torn`: some of it stays, chosen by the seed; else all of it is lost.
void on_power_cut(std::function<void(bool torn, std::uint64_t seed)> damage);

}  // namespace pipelined::fault
