// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <aimlvideo/error.h>

#include "pipeline.h"
#include "profile.h"

namespace aimlvideo::cli {

/// A file on its way through decodebin and encodebin into what a profile says.
class Transcoder {
public:
  using Ended = std::function<void(const std::optional<Error> &failure)>;

  /// `output` is a file, or for a stream a folder, which is there already. `mark` goes into the tags of a file that has
  /// some. `ended` is called once from the main loop,
  /// and may destroy this.
  Transcoder(const Profile &profile, const Shape &shape, const std::string &input, const std::string &output,
             const std::string &mark, Ended ended);

  /// 0 to 100, as far as it is known.
  std::optional<int> percent() const;

private:
  // the main loop
  void heard(GstMessage *message);
  void elementAdded(GstElement *element);
  // a streaming thread of decodebin, before the first frame passes
  void padAdded(GstPad *pad);
  void padsComplete();
  void refuse(const std::string &why);
  void ignore(GstPad *pad);
  GstPad *preparedVideo();
  GstPad *preparedSound();
  void finishInContainer(GstPad *video, GstPad *sound);
  void finishAsStream(GstPad *video, GstPad *sound);
  void finishAsPoster(GstPad *video);
  GstPad *encoded(const StreamFormat &format, GstPad *raw);
  GstPad *silence();
  GstElement *attach(GstElement *element);
  GstElement *chain(const std::string &description);
  void watchProgress(GstPad *pad);

  const Profile &profile_;
  const Shape shape_;
  const std::string output_;
  const std::string mark_;
  Ended ended_;
  bool over_ = false;
  std::atomic<gint64> length_ = 0;   ///< nanoseconds; 0: not known
  std::atomic<gint64> position_ = 0; ///< likewise
  GstPad *video_ = nullptr;          ///< of decodebin; the pads below belong to it
  GstPad *sound_ = nullptr;
  std::vector<GstPad *> others_;
  GstElement *silence_ = nullptr; ///< what stands in for a missing sound track
  Pipeline pipeline_;
};

} // namespace aimlvideo::cli
