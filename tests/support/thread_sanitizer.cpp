// SPDX-License-Identifier: LGPL-2.1-or-later
// Tells ThreadSanitizer what GLib's locks order. The GLib of a distribution is not instrumented, and its locks are
// futexes that the sanitizer never sees, so that all they guard would be reported. Here each of these functions passes
// on to GLib's own and says what it acquires or releases; libgobject, libgio, libsoup and GStreamer call them through
// the program's symbols, calls inside libglib itself stay unseen. Memory that only such libraries touch is not looked
// at (ignore_noninstrumented_modules). There is no list of suppressions: whatever is reported has our code on one side.
#include <dlfcn.h>

#include <gst/gst.h>
#include <sanitizer/tsan_interface.h>

namespace {

/// GLib's own function of that name.
template <typename Function>
Function next(const char *name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

} // namespace

#undef g_once_init_leave
#undef gst_mini_object_unref
#define EXPORTED extern "C" __attribute__((visibility("default")))

// The real one runs between what is released and what is acquired.
#define WRAP(name, parameters, arguments, before, after)                                                               \
  EXPORTED void name parameters {                                                                                      \
    static const auto real = next<decltype(&name)>(#name);                                                             \
    before;                                                                                                            \
    real arguments;                                                                                                    \
    after;                                                                                                             \
  }
#define WRAP_TRY(name, type)                                                                                           \
  EXPORTED gboolean name(type *lock) {                                                                                 \
    static const auto real = next<decltype(&name)>(#name);                                                             \
    const gboolean taken = real(lock);                                                                                 \
    if (taken)                                                                                                         \
      __tsan_acquire(lock);                                                                                            \
    return taken;                                                                                                      \
  }
#define WRAP_LOCK(name, type) WRAP(name, (type * lock), (lock), , __tsan_acquire(lock))
#define WRAP_UNLOCK(name, type) WRAP(name, (type * lock), (lock), __tsan_release(lock), )

WRAP_LOCK(g_mutex_lock, GMutex)
WRAP_UNLOCK(g_mutex_unlock, GMutex)
WRAP_TRY(g_mutex_trylock, GMutex)
WRAP_LOCK(g_rec_mutex_lock, GRecMutex)
WRAP_UNLOCK(g_rec_mutex_unlock, GRecMutex)
WRAP_TRY(g_rec_mutex_trylock, GRecMutex)
WRAP_LOCK(g_rw_lock_writer_lock, GRWLock)
WRAP_UNLOCK(g_rw_lock_writer_unlock, GRWLock)
WRAP_TRY(g_rw_lock_writer_trylock, GRWLock)
WRAP_LOCK(g_rw_lock_reader_lock, GRWLock)
WRAP_UNLOCK(g_rw_lock_reader_unlock, GRWLock)
WRAP_TRY(g_rw_lock_reader_trylock, GRWLock)

WRAP(g_cond_wait, (GCond * cond, GMutex *mutex), (cond, mutex), __tsan_release(mutex), __tsan_acquire(mutex))
EXPORTED gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end) {
  static const auto real = next<decltype(&g_cond_wait_until)>("g_cond_wait_until");
  __tsan_release(mutex);
  const gboolean signalled = real(cond, mutex, end);
  __tsan_acquire(mutex);
  return signalled;
}

// Who reads the location acquires it by an atomic load.
WRAP(g_once_init_leave, (volatile void *place, gsize result), (place, result),
     __tsan_release(const_cast<void *>(place)), )

// The last one to let go of an object sees what all others did to it.
WRAP(g_object_unref, (gpointer object), (object), __tsan_release(object); __tsan_acquire(object), )
WRAP(gst_mini_object_unref, (GstMiniObject * object), (object), __tsan_release(object); __tsan_acquire(object), )

// A queue and a main context hand over what was made before.
WRAP(g_async_queue_push, (GAsyncQueue * queue, gpointer data), (queue, data), __tsan_release(queue), )
#define WRAP_POP(name, parameters, arguments)                                                                          \
  EXPORTED gpointer name parameters {                                                                                  \
    static const auto real = next<decltype(&name)>(#name);                                                             \
    const gpointer data = real arguments;                                                                              \
    __tsan_acquire(queue);                                                                                             \
    return data;                                                                                                       \
  }
WRAP_POP(g_async_queue_pop, (GAsyncQueue * queue), (queue))
WRAP_POP(g_async_queue_try_pop, (GAsyncQueue * queue), (queue))
WRAP_POP(g_async_queue_timeout_pop, (GAsyncQueue * queue, guint64 timeout), (queue, timeout))
