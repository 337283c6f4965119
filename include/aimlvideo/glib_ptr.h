// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <memory>
#include <utility>

#include <gio/gio.h>

namespace aimlvideo {

/// How to take and drop a reference to a T. GObjects by default; specialised for the other counted types.
template <typename T>
struct RefTraits {
  static void ref(T *object) { g_object_ref(object); }
  static void unref(T *object) { g_object_unref(object); }
};

template <>
struct RefTraits<GBytes> {
  static void ref(GBytes *bytes) { g_bytes_ref(bytes); }
  static void unref(GBytes *bytes) { g_bytes_unref(bytes); }
};

template <>
struct RefTraits<GUri> {
  static void ref(GUri *uri) { g_uri_ref(uri); }
  static void unref(GUri *uri) { g_uri_unref(uri); }
};

/// Owns one reference to a counted GLib type.
template <typename T>
class GRefPtr {
public:
  GRefPtr() = default;
  GRefPtr(std::nullptr_t) {}
  GRefPtr(const GRefPtr &other) : object_(other.object_) {
    if (object_)
      RefTraits<T>::ref(object_);
  }
  GRefPtr(GRefPtr &&other) noexcept : object_(std::exchange(other.object_, nullptr)) {}
  GRefPtr &operator=(GRefPtr other) noexcept {
    std::swap(object_, other.object_);
    return *this;
  }
  ~GRefPtr() {
    if (object_)
      RefTraits<T>::unref(object_);
  }

  /// Takes over the reference that the caller owns.
  static GRefPtr adopt(T *object) {
    GRefPtr pointer;
    pointer.object_ = object;
    return pointer;
  }
  /// Adds a reference to a borrowed object.
  static GRefPtr share(T *object) {
    if (object)
      RefTraits<T>::ref(object);
    return adopt(object);
  }

  T *get() const { return object_; }
  T *release() { return std::exchange(object_, nullptr); }
  explicit operator bool() const { return object_ != nullptr; }

private:
  T *object_ = nullptr;
};

template <typename T>
GRefPtr<T> adopt(T *object) {
  return GRefPtr<T>::adopt(object);
}

template <typename T>
GRefPtr<T> share(T *object) {
  return GRefPtr<T>::share(object);
}

struct GFree {
  void operator()(void *memory) const { g_free(memory); }
};
using GCharPtr = std::unique_ptr<char, GFree>;

/// A GError to be filled by a call: `GErrorSlot error; call(&error)`.
class GErrorSlot {
public:
  GErrorSlot() = default;
  GErrorSlot(const GErrorSlot &) = delete;
  GErrorSlot &operator=(const GErrorSlot &) = delete;
  ~GErrorSlot() { g_clear_error(&error_); }

  GError **operator&() {
    g_clear_error(&error_);
    return &error_;
  }
  const GError *operator->() const { return error_; }
  const GError *get() const { return error_; }
  explicit operator bool() const { return error_ != nullptr; }
  const char *message() const { return error_ ? error_->message : "unknown error"; }

private:
  GError *error_ = nullptr;
};

} // namespace aimlvideo
