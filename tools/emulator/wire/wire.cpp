// SPDX-License-Identifier: LGPL-2.1-or-later
#include "emulator/wire/wire.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <sys/socket.h>
#include <utility>

#include "emulator/wire/main_loop.h"

namespace aimlvideo::emulator {

namespace {

constexpr double tick = 0.05;          // seconds between two portions of a slow body
constexpr size_t largePortion = 65536; // of a body without a limit of speed
constexpr size_t chunkSize = 16384;

std::string headText(const Response &response, const Wire &wire) {
  const char *phrase = soup_status_get_phrase(response.status);
  std::string text = "HTTP/1.1 " + std::to_string(response.status) + " " + phrase + "\r\n";
  text += "Date: " + httpTime(g_get_real_time() / G_USEC_PER_SEC) + "\r\n";
  if (!response.contentType.empty())
    text += "Content-Type: " + response.contentType + "\r\n";
  for (const auto &[name, value] : response.headers)
    text += name + ": " + value + "\r\n";
  if (wire.isChunked)
    text += "Transfer-Encoding: chunked\r\n";
  else
    text += "Content-Length: " + std::to_string(wire.declaredLength.value_or(long(response.body.size()))) + "\r\n";
  return text + "Connection: close\r\n\r\n";
}

Bytes chunkBody(const Bytes &body) {
  std::string text;
  for (size_t offset = 0; offset < body.size(); offset += chunkSize) {
    const std::string_view chunk = body.view().substr(offset, chunkSize);
    char size[24];
    g_snprintf(size, sizeof size, "%zx\r\n", chunk.size());
    text += size;
    text += chunk;
    text += "\r\n";
  }
  return Bytes(text + "0\r\n\r\n");
}

} // namespace

/// One answer on one connection. Alive while it is in Wires::conversations_ or an operation holds it.
class Wires::Conversation : public std::enable_shared_from_this<Conversation> {
public:
  Conversation(Wires &wires, const Response &response, Wire wire, bool hasBody, std::function<void(size_t)> onBytes)
      : wires_(&wires), wire_(wire), head_(headText(response, wire_)), onBytes_(std::move(onBytes)) {
    const Bytes body = hasBody ? response.body : Bytes();
    body_ = wire_.isChunked ? chunkBody(body) : body;
    if (wire_.bodyLimit)
      body_ = body_.slice(0, std::min(body_.size(), *wire_.bodyLimit));
  }

  bool isStalled() const { return isStalled_; }

  void begin(GIOStream *stream, GSocket *socket) {
    stream_ = adopt(stream);
    socket_ = share(socket);
    if (wire_.isSilent)
      return end();
    pending_ = Bytes(head_);
    isHead_ = true;
    write();
  }

  /// The connection ends here and now; nothing more happens.
  void close() {
    if (!stream_)
      return;
    g_cancellable_cancel(cancellable_.get());
    if (wire_.end == Wire::End::Reset && socket_) {
      // No linger: the peer gets a RST instead of the polite end.
      struct linger option = {1, 0};
      setsockopt(g_socket_get_fd(socket_.get()), SOL_SOCKET, SO_LINGER, &option, sizeof option);
      g_socket_close(socket_.get(), nullptr);
    } else {
      g_io_stream_close(stream_.get(), nullptr, nullptr);
    }
    stream_ = nullptr;
    if (Wires *wires = std::exchange(wires_, nullptr))
      wires->conversations_.erase(shared_from_this());
  }

  void forgetOwner() { wires_ = nullptr; }

private:
  /// Keeps the conversation alive until the asynchronous operation has ended.
  using Hold = std::shared_ptr<Conversation>;

  void write() {
    auto *self = new Hold(shared_from_this());
    g_output_stream_write_all_async(
        g_io_stream_get_output_stream(stream_.get()), pending_.view().data(), pending_.size(), G_PRIORITY_DEFAULT,
        cancellable_.get(),
        [](GObject *source, GAsyncResult *result, gpointer data) {
          std::unique_ptr<Hold> hold(static_cast<Hold *>(data));
          const bool isWritten = g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, nullptr, nullptr);
          (*hold)->onWritten(isWritten);
        },
        self);
  }

  void onWritten(bool isWritten) {
    if (!stream_)
      return;
    if (!isWritten)
      return close();
    if (!std::exchange(isHead_, false))
      onBytes_(pending_.size());
    if (sent_ == body_.size())
      return end();
    if (wire_.bytesPerSecond <= 0)
      return writeMore(largePortion);
    const auto portion = std::max<size_t>(1, static_cast<size_t>(wire_.bytesPerSecond * tick));
    runLater(portion / wire_.bytesPerSecond, [hold = shared_from_this(), portion] {
      if (hold->stream_)
        hold->writeMore(portion);
    });
  }

  void writeMore(size_t portion) {
    pending_ = body_.slice(sent_, std::min(portion, body_.size() - sent_));
    sent_ += pending_.size();
    write();
  }

  void end() {
    if (wire_.end != Wire::End::Stall)
      return close();
    isStalled_ = true;
    // The client may leave first: its end shows as a read of nothing.
    auto *self = new Hold(shared_from_this());
    g_input_stream_read_async(
        g_io_stream_get_input_stream(stream_.get()), scrap_, sizeof scrap_, G_PRIORITY_DEFAULT, cancellable_.get(),
        [](GObject *source, GAsyncResult *result, gpointer data) {
          std::unique_ptr<Hold> hold(static_cast<Hold *>(data));
          g_input_stream_read_finish(G_INPUT_STREAM(source), result, nullptr);
          (*hold)->close();
        },
        self);
  }

  Wires *wires_;
  Wire wire_;
  std::string head_;
  Bytes body_;
  std::function<void(size_t)> onBytes_;
  GRefPtr<GIOStream> stream_;
  GRefPtr<GSocket> socket_;
  GRefPtr<GCancellable> cancellable_ = adopt(g_cancellable_new());
  Bytes pending_;
  size_t sent_ = 0;
  bool isHead_ = false;
  bool isStalled_ = false;
  char scrap_[256] = {};
};

Wires::~Wires() {
  for (const auto &conversation : std::exchange(conversations_, {})) {
    conversation->forgetOwner();
    conversation->close();
  }
}

void Wires::answer(SoupServerMessage *message, const Response &response, const Wire &wire,
                   std::function<void(size_t)> onBytes) {
  const bool hasBody = soup_server_message_get_method(message) != SOUP_METHOD_HEAD;
  const auto conversation = std::make_shared<Conversation>(*this, response, wire, hasBody, std::move(onBytes));
  conversations_.insert(conversation);
  // The connection cannot be taken from within the server's own handler.
  const auto held = share(message);
  soup_server_message_pause(message);
  runOnMainLoop([this, held, conversation] { start(held.get(), conversation); });
}

void Wires::start(SoupServerMessage *message, const std::shared_ptr<Conversation> &conversation) {
  const auto socket = share(soup_server_message_get_socket(message));
  // none: the client has left meanwhile
  if (GIOStream *stream = socket ? soup_server_message_steal_connection(message) : nullptr)
    conversation->begin(stream, socket.get());
  else
    conversations_.erase(conversation);
}

unsigned Wires::releaseStalled() {
  unsigned released = 0;
  for (const auto &conversation : std::set(conversations_))
    if (conversation->isStalled()) {
      conversation->close();
      ++released;
    }
  return released;
}

} // namespace aimlvideo::emulator
