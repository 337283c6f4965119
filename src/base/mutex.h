// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

// What clang checks with -Wthread-safety: which members a mutex guards, and which functions want it held. Empty for
// other compilers.
#ifdef __clang__
#define AIMLVIDEO_THREAD_SAFETY(...) __attribute__((__VA_ARGS__))
#else
#define AIMLVIDEO_THREAD_SAFETY(...)
#endif
#define CAPABILITY(name) AIMLVIDEO_THREAD_SAFETY(capability(name))
#define SCOPED_CAPABILITY AIMLVIDEO_THREAD_SAFETY(scoped_lockable)
/// Read and written with the mutex held only.
#define GUARDED_BY(mutex) AIMLVIDEO_THREAD_SAFETY(guarded_by(mutex))
/// The caller holds the mutex.
#define REQUIRES(...) AIMLVIDEO_THREAD_SAFETY(requires_capability(__VA_ARGS__))
/// The caller does not hold the mutex, which is locked in here.
#define EXCLUDES(...) AIMLVIDEO_THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define ACQUIRE(...) AIMLVIDEO_THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRE(...) AIMLVIDEO_THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define RELEASE(...) AIMLVIDEO_THREAD_SAFETY(release_capability(__VA_ARGS__))
/// For what the compiler can't follow, each with its reason.
#define NO_THREAD_SAFETY_ANALYSIS AIMLVIDEO_THREAD_SAFETY(no_thread_safety_analysis)

namespace aimlvideo {

/// A std::mutex that the compiler knows.
class CAPABILITY("mutex") Mutex {
public:
  void lock() ACQUIRE() { mutex_.lock(); }
  bool try_lock() TRY_ACQUIRE(true) { return mutex_.try_lock(); }
  void unlock() RELEASE() { mutex_.unlock(); }

private:
  friend class Lock;
  std::mutex mutex_;
};

/// Holds a mutex until its scope ends, or until unlock().
class SCOPED_CAPABILITY Lock {
public:
  explicit Lock(Mutex &locked) ACQUIRE(locked) : lock_(locked.mutex_) {}
  /// Takes over what is locked already.
  Lock(Mutex &locked, std::adopt_lock_t adopt) REQUIRES(locked) : lock_(locked.mutex_, adopt) {}
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;
  ~Lock() RELEASE() = default;

  void unlock() RELEASE() { lock_.unlock(); }
  void lock() ACQUIRE() { lock_.lock(); }

private:
  friend class Condition;
  std::unique_lock<std::mutex> lock_;
};

/// Releases a mutex that a Lock of the caller holds until its scope ends, for calling out.
class SCOPED_CAPABILITY Unlocked {
public:
  explicit Unlocked(Mutex &locked) RELEASE(locked) : mutex_(locked) { locked.unlock(); }
  Unlocked(const Unlocked &) = delete;
  Unlocked &operator=(const Unlocked &) = delete;
  ~Unlocked() RELEASE() NO_THREAD_SAFETY_ANALYSIS { mutex_.lock(); } // an inverse scope is told as clang wants it

private:
  Mutex &mutex_;
};

/// What a thread waits for while it holds a mutex. It may wake without need: call wait() in a loop that looks at what
/// it waits for, which the compiler checks there.
class Condition {
public:
  /// Releases the lock meanwhile.
  void wait(Lock &lock) { condition_.wait(lock.lock_); }
  /// The same. False: the moment has come.
  bool waitUntil(Lock &lock, std::chrono::steady_clock::time_point moment) {
    return condition_.wait_until(lock.lock_, moment) == std::cv_status::no_timeout;
  }
  void notifyOne() { condition_.notify_one(); }
  void notifyAll() { condition_.notify_all(); }

private:
  std::condition_variable condition_;
};

} // namespace aimlvideo
