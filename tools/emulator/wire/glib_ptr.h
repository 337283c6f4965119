// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include <gio/gio.h>
#include <glib.h>

namespace emulator {

template <auto Function>
struct Releaser {
  template <typename T>
  void operator()(T *pointer) const {
    Function(pointer);
  }
};

template <typename T>
using ObjectPtr = std::unique_ptr<T, Releaser<g_object_unref>>;
using CharPtr = std::unique_ptr<char, Releaser<g_free>>;
using ErrorPtr = std::unique_ptr<GError, Releaser<g_error_free>>;
using UriPtr = std::unique_ptr<GUri, Releaser<g_uri_unref>>;
using DateTimePtr = std::unique_ptr<GDateTime, Releaser<g_date_time_unref>>;

// Receives the GError of a call: g_something(..., ErrorOut(error)).
class ErrorOut {
public:
  explicit ErrorOut(ErrorPtr &target) : target_(target) {}
  ~ErrorOut() { target_.reset(raw_); }
  ErrorOut(const ErrorOut &) = delete;
  ErrorOut &operator=(const ErrorOut &) = delete;
  operator GError **() { return &raw_; }

private:
  ErrorPtr &target_;
  GError *raw_ = nullptr;
};

// Immutable bytes, shared between copies.
class Bytes {
public:
  Bytes() : bytes_(g_bytes_new_static("", 0)) {}
  explicit Bytes(std::string_view text) : bytes_(g_bytes_new(text.data(), text.size())) {}
  // Takes the reference over.
  explicit Bytes(GBytes *taken) : bytes_(taken) {}
  Bytes(const Bytes &other) : bytes_(g_bytes_ref(other.bytes_)) {}
  Bytes(Bytes &&other) noexcept : bytes_(other.bytes_) { other.bytes_ = g_bytes_new_static("", 0); }
  Bytes &operator=(Bytes other) noexcept {
    std::swap(bytes_, other.bytes_);
    return *this;
  }
  ~Bytes() { g_bytes_unref(bytes_); }

  std::string_view view() const {
    gsize size = 0;
    auto *data = static_cast<const char *>(g_bytes_get_data(bytes_, &size));
    return {data ? data : "", size};
  }
  size_t size() const { return g_bytes_get_size(bytes_); }
  // A window on the same memory.
  Bytes slice(size_t offset, size_t length) const { return Bytes(g_bytes_new_from_bytes(bytes_, offset, length)); }
  GBytes *get() const { return bytes_; }

private:
  GBytes *bytes_;
};

// Runs `work` on the default main context, soon; may be called from any thread.
void runOnMainLoop(std::function<void()> work);

// Runs `work` on the default main context once `seconds` have passed.
void runLater(double seconds, std::function<void()> work);

} // namespace emulator
