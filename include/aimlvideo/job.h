// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/log.h>
#include <aimlvideo/settings.h>
#include <aimlvideo/spool.h>
#include <aimlvideo/status.h>

namespace aimlvideo {

struct Patience;

/// Is notified of a job's progress; override only what you need. Everything is called on the network thread, which all
/// jobs of the process share, with no lock held: pass the information on and return. Nothing is called once Job::stop()
/// has returned.
class AIMLVIDEO_API JobObserver {
public:
  virtual ~JobObserver() = default;
  /// A new state; Completed and Failed are reported by the two calls below.
  virtual void stateChanged(const Status &) {}
  /// A sign of life; `note` says what happened and may be empty.
  virtual void progressed(const Status &, const std::string & /*note*/) {}
  /// The clip may be read from now on. The download continues and may still fail.
  virtual void arriving(const Status &, const std::shared_ptr<Spool> &) {}
  /// All of the clip is there, as handed over by arriving(); after a dry run there is no clip.
  virtual void completed(const Status &) {}
  virtual void failed(const Status &, const Error &) {}
  /// A line about this job for the log, to which it is written by default, see LogSink.
  virtual void logged(LogLevel level, const std::string &line);
  /// Something that the user should see, but that stops nothing.
  virtual void warned(const std::string & /*text*/) {}
};

/// A generation. It has no thread: while it waits it is an object and a timer.
///
/// It owns what it uses, so that stop() never waits for a disk or a stalled server: what can't end at once ends on its
/// own, unobserved.
class AIMLVIDEO_API Job {
public:
  /// The observer must live until stop() has returned.
  /// `ownRow`: what row() returned for the owner's previous job; 0: there was none.
  static std::shared_ptr<Job> start(Settings settings, int64_t ownRow, JobObserver &observer);
  /// The same with other patience, which is for tests.
  static std::shared_ptr<Job> start(Settings settings, int64_t ownRow, JobObserver &observer, const Patience &patience);
  Job(const Job &) = delete;
  Job &operator=(const Job &) = delete;
  ~Job();

  /// From any thread. Returns at once, but waits for an observer's call that is running on another thread; may be
  /// called again. What was bought stays bought, and the ledger knows it.
  void stop();

  /// From any thread.
  Status status() const;
  /// The row of the ledger that this job uses; 0: none yet. From any thread.
  int64_t row() const;

private:
  class Inside;
  explicit Job(std::unique_ptr<Inside> inside);

  const std::unique_ptr<Inside> inside_;
};

} // namespace aimlvideo
