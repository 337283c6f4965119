// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace aimlvideo {

/// What the service says of a model that it is giving up, or has.
struct Deprecation {
  enum class Status {
    Deprecated, ///< it still works
    Superseded, ///< its name leads to another one
    Withdrawn,  ///< it does not work any more
  };
  Status status = Status::Deprecated;
  std::string shutdown;   ///< the day; empty: not known
  std::string replacedBy; ///< id of a model; empty: there is none

  /// What a user should know of it.
  std::string sentence(const std::string &model) const;
};

/// The path of the list.
constexpr auto deprecationsPath = "/v1/models/deprecations";

/// What the list says of a model, by its id or by another of its names. Empty if it is not in the list, and where
/// the list can't be read.
std::optional<Deprecation> deprecationIn(std::string_view list, const std::string &model);

} // namespace aimlvideo
