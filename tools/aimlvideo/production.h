// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gio/gio.h>

#include <aimlvideo/job.h>

#include "background.h"
#include "base/glib_ptr.h"
#include "profile.h"
#include "progress.h"
#include "signing.h"
#include "work_folder.h"

namespace aimlvideo::cli {

class Transcoder;

/// What is to be made and what becomes of it.
struct Order {
  Settings settings;
  const Profile *profile = nullptr;
  Shape shape;
  std::string output; ///< empty: standard output
  Overwrite overwrite = Overwrite::No;
  /// Nobody else can make the output meanwhile, which takes descriptors for all the time. Otherwise an output that
  /// somebody else has made by then is an error in the end; the clip is kept.
  bool reserved = false;
  std::string signWith; ///< a command that signs what was made, see signing.h; empty: nobody does

  bool toStandardOutput() const { return output.empty(); }
  OutputKind outputKind() const { return profile->kind == Profile::Kind::Hls ? OutputKind::Folder : OutputKind::File; }
};

/// Whether an order can be carried out as far as profile and output are concerned.
Result<void> checkOrder(const Order &order);

/// One order on its way: the clip is waited for, written or transcoded as the profile says, and published under its
/// name as a whole. While it waits it is a job of the engine and nothing else. Everything happens in the main loop's
/// thread, but for what waits for a disk, and for the job's calls.
class Production final : JobObserver {
public:
  struct Hooks {
    std::function<void()> changed;
    /// The output is on the disk and about to get its name. `checksum` is its SHA-256. May be empty.
    std::function<Result<void>(const std::string &checksum)> publishing;
    /// Once, at the end; empty if it went well. It may destroy the production.
    std::function<void(const std::optional<Error> &failure)> ended;
  };

  Production(Order order, Hooks hooks);
  Production(const Production &) = delete;
  Production &operator=(const Production &) = delete;
  ~Production() override;
  /// Begins when the main loop comes to it.
  void startSoon();
  /// Ends their generations, for good, and gives these a moment to write down how far they came: without it a request
  /// that has not left would have to be looked up by the next run. Their status is the last one then.
  static void stop(const std::vector<Production *> &productions);

  const Order &order() const { return order_; }
  /// Whether a request has left whose outcome is not known, as far as the ledger says.
  bool isUnknown() const;
  /// Of the generation; its state is Idle before anything is known.
  const Status &status() const { return status_; }
  /// What happened last to the generation, in words for people.
  const std::string &note() const { return note_; }
  bool transcoding() const { return transcoder_ != nullptr || waiting_; }
  /// What it is doing, in a word: the state of the generation, `starting` or `transcoding`.
  std::string doing() const;
  /// How far it is now; while it transcodes, how far that is.
  Progress progress();

private:
  class Turns;
  struct Finishing;

  // the job's thread
  void stateChanged(const Status &status) override;
  void progressed(const Status &status, const std::string &note) override;
  void arriving(const Status &status, const std::shared_ptr<Spool> &clip) override;
  void completed(const Status &status) override;
  void failed(const Status &status, const Error &error) override;
  void warned(const std::string &text) override;

  void start();
  void heard(const Status &status, const std::string &note);
  void fetched();
  void make();
  void transcode(const std::string &target, const std::function<void()> &done);
  void makeForStandardOutput();
  void deliver(const std::shared_ptr<Spool> &clip);
  void leaveTurn();
  /// What is to stand in what is made of the clip; empty: nothing is.
  std::string outputMark() const { return wantsMark_ ? mark_ : ""; }
  void finish(const std::shared_ptr<Spool> &clip);
  void publish(const Result<std::string> &checksum);
  void suggestModel(Error &failure) const;
  void end(std::optional<Error> failure);

  Order order_;
  Hooks hooks_;
  guint starter_ = 0;
  Turns *turns_ = nullptr; ///< in which it waits or is at work
  bool waiting_ = false;   ///< for its turn to transcode
  const std::shared_ptr<Inbox> inbox_ = Inbox::create();
  std::shared_ptr<Job> job_;
  StorePrompt storePrompt_ = StorePrompt::Default; ///< of the settings, which are the job's then
  Status status_;
  std::string note_;
  ProgressClock clock_;
  std::shared_ptr<Spool> clip_;        ///< from when it arrives until it is written or transcoded
  std::shared_ptr<WorkFolder> folder_; ///< shared with what happens in the background
  const GRefPtr<GCancellable> signingStops_ = adopt(g_cancellable_new());
  Secret signingKey_; ///< which a signer must not tell
  bool wantsMark_ = true;
  std::string mark_; ///< of the clip
  std::string temporaryFolder_;
  std::shared_ptr<Descriptor> nameless_; ///< what is transcoded for standard output
  std::unique_ptr<Transcoder> transcoder_;
};

} // namespace aimlvideo::cli
