// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "fetch.h"
#include "transcoder.h"
#include "work_folder.h"

namespace aimlvideo::cli {

/// What is to be made and what becomes of it.
struct Order {
  PropertyTexts properties;
  const Profile *profile = nullptr;
  Shape shape;
  std::string output;
  Overwrite overwrite = Overwrite::No;

  OutputKind outputKind() const { return profile->kind == Profile::Kind::Hls ? OutputKind::Folder : OutputKind::File; }
};

/// Whether an order can be carried out as far as profile and output are concerned.
Result<void> checkOrder(const Order &order);

/// One order on its way: the clip is fetched, transcoded if the profile says so, and published under its name as a
/// whole. Everything happens in the main loop's thread.
class Production {
public:
  struct Hooks {
    std::function<void()> changed;
    /// The output is about to get its name; `made` is where it is still.
    std::function<Result<void>(const std::string &made)> publishing;
    /// Once, at the end; nothing where it went well. It may destroy the production.
    std::function<void(const std::optional<Error> &failure)> ended;
  };

  Production(Order order, Hooks hooks);
  Production(const Production &) = delete;
  Production &operator=(const Production &) = delete;
  ~Production();
  /// Begins when the main loop comes to it.
  void startSoon();

  const Order &order() const { return order_; }
  const GenerationNews &news() const { return fetch_ ? fetch_->news() : news_; }
  bool transcoding() const { return transcoder_ != nullptr || waiting_; }
  /// What it is doing, in a word: a status of the element, or `transcoding`.
  std::string status() const;
  std::optional<int> percent() const;

private:
  void start();
  void fetched();
  void transcode();
  void made();
  void end(std::optional<Error> failure);

  Order order_;
  Hooks hooks_;
  guint starter_ = 0;
  bool waiting_ = false; ///< for its turn to transcode
  GenerationNews news_;  ///< when the fetch has ended
  std::optional<WorkFolder> folder_;
  std::unique_ptr<Fetch> fetch_;
  std::unique_ptr<Transcoder> transcoder_;
};

} // namespace aimlvideo::cli
