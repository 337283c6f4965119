// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include <aimlvideo/error.h>
#include <aimlvideo/export.h>
#include <aimlvideo/settings.h>

namespace aimlvideo {

/// One of the values that a field may have.
struct Choice {
  int value;
  const char *name;
  const char *meaning;
};

/// A field whose value is an enumeration.
struct Choices {
  const char *type; ///< the enumeration's name, as in `Reuse`
  std::span<const Choice> all;
  int (*get)(const Settings &settings);
  void (*set)(Settings &settings, int value);
};

/// The sections of the documentation.
enum class FieldGroup {
  Request,   ///< what is to be made
  Service,   ///< where, with which key, for how long
  Purchase,  ///< what was bought before
  Price,     ///< what it may cost
  Delivery,  ///< what goes along with the clip
  Transport, ///< the way to the service and back
};

/// One thing that a user can set, defined once: the element's properties, the keys of a URI, presets, the columns of a
/// manifest, the options of the command line and the tables of docs/properties.md all come from fields().
struct Field {
  /// Where it can be set, besides the element's properties and the members of Settings.
  enum Use : unsigned {
    InUri = 1,
    InPreset = 2,
    InManifest = 4,
    OnCommandLine = 8,
    SentToModel = 16, ///< as a parameter, by the name that the model has for it
    IsMedium = 32,    ///< a text that names a picture: a path, or a `file:`, `http(s):` or `data:` URI
    IsFile = 64,      ///< a text that is a path
    WriteOnly = 128,  ///< can't be read back
    IsAmount = 256,   ///< USD: a number that is not an amount must reach the check, which then refuses to buy
  };

  using Member = std::variant<std::string Settings::*, Secret Settings::*, bool Settings::*, unsigned Settings::*,
                              uint64_t Settings::*, int64_t Settings::*, double Settings::*, Choices>;

  const char *name;
  const char *title; ///< a few words
  const char *about; ///< one sentence without its full stop, for gst-inspect-1.0, --help and the documentation
  Member member;
  FieldGroup group;
  unsigned uses;
  /// The smallest and the largest number allowed. The default, which then means "not set", may lie outside.
  double least = 0;
  double most = 0;
  const char *unit = nullptr; ///< of a number, as in `seconds`
  char letter = '\0';         ///< of the option
  /// What is read back if that is not the member.
  std::string (*shown)(const Settings &settings) = nullptr;

  bool is(Use use) const { return (uses & use) != 0; }
};

/// A function for each type of member, for std::visit.
template <typename... Cases>
struct Overload : Cases... {
  using Cases::operator()...;
};
template <typename... Cases>
Overload(Cases...) -> Overload<Cases...>;

/// All of them, in the order of the documentation. Constants.
AIMLVIDEO_API std::span<const Field> fields();

/// Null: there is no such field.
AIMLVIDEO_API const Field *findField(std::string_view name);

/// Whether the settings differ from the defaults.
AIMLVIDEO_API bool isSet(const Settings &settings, const Field &field);

AIMLVIDEO_API void copyField(const Field &field, const Settings &from, Settings &to);

/// Sets a field from a text. BadRequest names the text and what is allowed; the settings are then unchanged.
AIMLVIDEO_API Result<void> setFromText(Settings &settings, const Field &field, const std::string &text);

/// The text that setFromText() would take for the value; never the key.
AIMLVIDEO_API std::string textOf(const Settings &settings, const Field &field);

/// What is allowed, as in `a whole number of seconds`.
AIMLVIDEO_API std::string allowedFor(const Field &field);

} // namespace aimlvideo
