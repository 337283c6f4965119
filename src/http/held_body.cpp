// SPDX-License-Identifier: LGPL-2.1-or-later
#include "http/held_body.h"

#include <algorithm>
#include <cstring>

namespace {

enum class Way { Held, Open, Shut };

struct AimlHeldStream {
  GInputStream parent;
  GBytes *bytes;
  gsize position;
  Way way;
  bool taken;
  GTask *reading; ///< waits; owned; null: nobody does
  void *buffer;   ///< of that one
  gsize size;
};
struct AimlHeldStreamClass {
  GInputStreamClass parent;
};

// GObject's macros are C
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wold-style-cast"
G_DEFINE_TYPE(AimlHeldStream, aiml_held_stream, G_TYPE_INPUT_STREAM)
#pragma GCC diagnostic pop

AimlHeldStream *self(gpointer stream) {
  return static_cast<AimlHeldStream *>(stream);
}

gssize take(AimlHeldStream *stream, void *buffer, gsize size) {
  gsize total = 0;
  const auto *data = static_cast<const char *>(g_bytes_get_data(stream->bytes, &total));
  const gsize count = std::min(size, total - stream->position);
  if (count > 0)
    std::memcpy(buffer, data + stream->position, count);
  stream->position += count;
  return static_cast<gssize>(count);
}

/// Answers whoever waits, as far as that is decided.
void settle(AimlHeldStream *stream) {
  GTask *task = stream->reading;
  if (!task || stream->way == Way::Held)
    return;
  stream->reading = nullptr;
  if (stream->way == Way::Open)
    g_task_return_int(task, take(stream, stream->buffer, stream->size));
  else
    g_task_return_new_error(task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "the request was not let go");
  g_object_unref(task);
}

void aiml_held_stream_init(AimlHeldStream *) {}

void aiml_held_stream_class_init(AimlHeldStreamClass *type) {
  G_OBJECT_CLASS(type)->finalize = [](GObject *object) {
    g_bytes_unref(self(object)->bytes);
    G_OBJECT_CLASS(aiml_held_stream_parent_class)->finalize(object);
  };
  GInputStreamClass *input = &type->parent;
  input->read_fn = [](GInputStream *, void *, gsize, GCancellable *, GError **error) -> gssize {
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_SUPPORTED, "a body that is held is read asynchronously");
    return -1;
  };
  input->read_async = [](GInputStream *stream, void *buffer, gsize size, int, GCancellable *cancellable,
                         GAsyncReadyCallback callback, gpointer data) {
    self(stream)->reading = g_task_new(stream, cancellable, callback, data);
    self(stream)->buffer = buffer;
    self(stream)->size = size;
    settle(self(stream));
  };
  input->read_finish = [](GInputStream *stream, GAsyncResult *result, GError **error) -> gssize {
    const gssize count = g_task_propagate_int(G_TASK(result), error); // fails as well if it was cancelled meanwhile
    self(stream)->taken = self(stream)->taken || count > 0;
    return count;
  };
}

} // namespace

namespace aimlvideo {

HeldBody::HeldBody(GBytes *bytes)
    : stream_(adopt(static_cast<GInputStream *>(g_object_new(aiml_held_stream_get_type(), nullptr)))) {
  self(stream_.get())->bytes = g_bytes_ref(bytes);
}

void HeldBody::release() {
  self(stream_.get())->way = Way::Open;
  settle(self(stream_.get()));
}

bool HeldBody::taken() const {
  return self(stream_.get())->taken;
}

void HeldBody::refuse() {
  self(stream_.get())->way = Way::Shut;
  settle(self(stream_.get()));
}

} // namespace aimlvideo
