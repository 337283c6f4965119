// SPDX-License-Identifier: LGPL-2.1-or-later
#include <aimlvideo/uri.h>

#include <algorithm>
#include <vector>

#include <aimlvideo/field.h>

#include "api/faults.h"
#include "api/nearest.h"
#include "base/glib_ptr.h"

namespace aimlvideo {

namespace {

constexpr std::string_view aboutForm = "Write aimlvideo://MODEL?prompt=A%20cat&duration=5";

std::vector<std::string> keyNames() {
  std::vector<std::string> names;
  for (const Field &field : fields())
    if (field.is(Field::InUri))
      names.emplace_back(field.name);
  return names;
}

Failure refuse(const std::string &why, const std::string &remedy = std::string(aboutForm)) {
  return failure(ErrorKind::BadRequest, "the aimlvideo URI can't be used", why, remedy);
}

/// What is decoded may be quoted on a terminal, where a control character does harm.
bool isPlainText(const std::string &text) {
  if (!g_utf8_validate_len(text.data(), text.size(), nullptr))
    return false;
  for (const char *at = text.c_str(); *at; at = g_utf8_next_char(at))
    if (g_unichar_iscntrl(g_utf8_get_char(at)) && *at != '\n' && *at != '\r' && *at != '\t')
      return false;
  return true;
}

Result<std::string> decoded(std::string_view value, const std::string &key) {
  std::string text;
  for (size_t i = 0; i < value.size(); ++i) {
    if (value[i] != '%') {
      text += value[i];
      continue;
    }
    if (i + 2 >= value.size() || !g_ascii_isxdigit(value[i + 1]) || !g_ascii_isxdigit(value[i + 2]))
      return refuse("in the value of " + key + " a % is not followed by two hexadecimal digits",
                    "Write %25 for a percent sign");
    text += static_cast<char>(g_ascii_xdigit_value(value[i + 1]) * 16 + g_ascii_xdigit_value(value[i + 2]));
    i += 2;
  }
  if (!isPlainText(text))
    return refuse("the value of " + key + " is not UTF-8 text, or contains a control character", "Write UTF-8 text");
  return text;
}

/// A key that is not known, without its value. Something that does not look like a key is not repeated either, since a
/// secret may have gone astray.
Failure refuseKey(const std::string &name) {
  const auto names = keyNames();
  const bool looksLikeOne = name.size() <= 24 && std::all_of(name.begin(), name.end(), [](char c) {
                              return g_ascii_islower(c) || c == '-' || c == '_';
                            });
  std::string why = looksLikeOne ? "it sets " + name : "it sets something that is not a key";
  if (const std::string nearest = nearestTo(name, names); looksLikeOne && !nearest.empty())
    why += " (did you mean " + nearest + "?)";
  return refuse(why + ", and a URI says only what is to be made", "Allowed are " + joined(names, ", "));
}

/// A model is sent as it stands, so that nothing in it may need decoding.
Result<void> checkModel(std::string_view model) {
  if (model.find('@') != std::string_view::npos) // a name or a password may be before it
    return refuse("it has an @ before its query, and a URI names no user");
  const auto fits = [](unsigned char c) {
    return g_ascii_isalnum(c) ||
           std::string_view("-._~/:+,=!$()*").find(static_cast<char>(c)) != std::string_view::npos;
  };
  if (!std::all_of(model.begin(), model.end(), fits) || model.starts_with('/') || model.ends_with('/'))
    return refuse("its host and path together are not the name of a model",
                  std::string(aboutForm) + " with a model that 'aimlvideo models' lists, or aimlvideo:///MODEL?...");
  return {};
}

Result<void> readItem(std::string_view item, Settings &wanted, std::vector<const Field *> &seen) {
  const size_t equals = item.find('=');
  if (equals == std::string_view::npos)
    return refuse("a part of its query has no = after its key");
  const std::string name(item.substr(0, equals));
  const std::string_view raw = item.substr(equals + 1);
  const Field *field = findField(name);
  if (!field || !field->is(Field::InUri))
    return refuseKey(name);
  if (std::ranges::find(seen, field) != seen.end())
    return refuse("it sets " + name + " twice", "Give it once");
  seen.push_back(field);
  const auto value = decoded(raw, name);
  if (!value)
    return tl::unexpected(value.error());
  if (value->empty() || !setFromText(wanted, *field, *value))
    return refuse(name + (value->empty() ? " is empty" : " is " + quoted(std::string(raw))) + ", allowed is " +
                  allowedFor(*field));
  return {};
}

/// The rest of a URI after the scheme and `//`.
Result<std::string_view> withoutScheme(std::string_view uri) {
  const std::string scheme = std::string(uriScheme) + "://";
  if (uri.size() < scheme.size() || g_ascii_strncasecmp(uri.data(), scheme.c_str(), scheme.size()) != 0)
    return refuse("it does not begin with " + scheme);
  return uri.substr(scheme.size());
}

} // namespace

Result<void> takeUri(std::string_view uri, Settings &settings) {
  const auto rest = withoutScheme(uri);
  if (!rest)
    return tl::unexpected(rest.error());
  if (std::any_of(uri.begin(), uri.end(), [](char c) { return g_ascii_iscntrl(c); }))
    return refuse("it contains a control character", "Write it as % and two hexadecimal digits");
  if (uri.find('#') != std::string_view::npos)
    return refuse("it has a fragment after #", "Write %23 for a #");

  Settings wanted = settings;
  const Settings unset;
  for (const Field &field : fields())
    if (field.is(Field::InUri))
      copyField(field, unset, wanted);
  const size_t question = rest->find('?');
  std::string_view model = rest->substr(0, question);
  if (model.starts_with('/'))
    model.remove_prefix(1);
  if (const auto named = checkModel(model); !named)
    return tl::unexpected(named.error());
  wanted.model = model;

  std::vector<const Field *> seen;
  std::string_view query = question == std::string_view::npos ? std::string_view() : rest->substr(question + 1);
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    if (const auto read = readItem(query.substr(0, end), wanted, seen); !read)
      return tl::unexpected(read.error());
    query.remove_prefix(std::min(end + 1, query.size()));
  }
  wanted.uri = uriFor(wanted);
  settings = std::move(wanted);
  return {};
}

std::string uriFor(const Settings &settings) {
  // programs that put URIs together write hosts in lower case
  const std::string host = settings.model.substr(0, settings.model.find('/'));
  const bool keepsAsHost = std::none_of(host.begin(), host.end(), [](char c) { return g_ascii_isupper(c); });
  std::string uri = std::string(uriScheme) + (keepsAsHost ? "://" : ":///") + settings.model;
  char separator = '?';
  for (const Field &field : fields()) {
    if (!field.is(Field::InUri) || !isSet(settings, field))
      continue;
    const GCharPtr escaped(g_uri_escape_string(textOf(settings, field).c_str(), "/:,", FALSE));
    uri += separator + (field.name + ("=" + std::string(escaped.get())));
    separator = '&';
  }
  return uri;
}

} // namespace aimlvideo
