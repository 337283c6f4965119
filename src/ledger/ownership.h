// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include <aimlvideo/error.h>

namespace aimlvideo {

/// The right to work on one request, held by one worker of one process at a time.
///
/// Between processes it is a kernel lock, which ends with its process, however that dies, and stays while the process
/// is merely stopped. Within a process a table decides. However many are held, they share one open file. A forked child
/// has none of its parent's: it neither keeps nor releases them.
///
/// Any thread; nothing here waits for others.
class Ownership {
public:
  /// Takes it if it is free; empty if somebody else has it. The folder is that of the ledger, which has been
  /// opened: an older program that was started before may hold the same name, and is respected.
  static Result<std::optional<Ownership>> take(const std::string &folder, const std::string &name);

  /// Who holds it, in words for people: "this process", "process 42"; empty where nobody does.
  static std::string holder(const std::string &folder, const std::string &name);

  /// Whether somebody in this process has it, whose release an OwnershipWatch tells.
  static bool isHeldHere(const std::string &folder, const std::string &name);

  Ownership(Ownership &&other) noexcept;
  Ownership &operator=(Ownership &&other) noexcept;
  ~Ownership();

private:
  class Hold;
  explicit Ownership(std::unique_ptr<Hold> hold);

  std::unique_ptr<Hold> hold_; ///< empty: moved away
};

class OwnershipWaiter;

/// Tells when an Ownership is released in this process. Other processes' are not reported.
///
/// Where it is made before Ownership::take() is tried, no release is missed.
class OwnershipWatch {
public:
  /// `released` is called by the thread that releases, which holds no lock of this library, and now and then without
  /// need: try to take it again. It must not block.
  OwnershipWatch(const std::string &folder, const std::string &name, std::function<void()> released);
  OwnershipWatch(const OwnershipWatch &) = delete;
  OwnershipWatch &operator=(const OwnershipWatch &) = delete;
  /// Afterwards nothing is called any more: waits for a call that another thread is in. May be called by `released`.
  ~OwnershipWatch();

private:
  std::shared_ptr<OwnershipWaiter> waiter_;
};

} // namespace aimlvideo
