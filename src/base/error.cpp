// SPDX-License-Identifier: LGPL-2.1-or-later
#include "base/error.h"

namespace aimlvideo {

namespace {

void closeSentence(std::string &text) {
  if (!text.empty() && text.back() != '.' && text.back() != '!' && text.back() != '?')
    text += '.';
}

} // namespace

std::string Error::text() const {
  std::string text = what;
  if (!why.empty())
    text += ": " + why;
  closeSentence(text);
  if (!remedy.empty()) {
    text += ' ' + remedy;
    closeSentence(text);
  }
  return text;
}

} // namespace aimlvideo
