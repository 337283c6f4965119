// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json/value.h"
#include "exit_code.h"

namespace aimlvideo::cli {

/// A number of USD or seconds as people write it: to a millionth, without the error of sums and products.
double rounded(double number);

/// An error as a member of an envelope.
json::Value jsonOf(const Error &error);

/// The same with a code of the command line's own. `secondsToComeBackIn`: where it is worth trying again; else 0.
json::Value errorOf(std::string_view code, const std::string &message, int secondsToComeBackIn = 0);

/// An answer, for those who don't print it: `error` is absent if all went well.
json::Value answerOf(const std::string &command, const json::Value &data, const json::Value &error = {});

/// What a command tells the program that ran it with `--json`: envelopes on standard output, as
/// docs/output.schema.json says. Lines about events come first, if the command has any; the answer is last, and there
/// is always one. For the main thread.
class Answer {
public:
  static Answer &instance();

  /// A command such as `jobs` begins. `arguments` tell whether a program asked, also where they turn out to be wrong.
  void begin(const std::string &command, const std::vector<std::string> &arguments);
  /// It is called so from now on: `jobs list`.
  void rename(const std::string &command) { command_ = command; }
  /// What the options say, once they are read.
  void setForProgram(bool asked) { isForProgram_ = asked; }
  /// Whether a program asked. What is for people is not printed then.
  bool isForProgram() const { return isForProgram_; }

  /// What was asked for; the latest counts.
  void setData(json::Value data) { data_ = std::move(data); }
  /// The event of the answer, for commands that tell of events.
  void setEvent(const std::string &event) { event_ = event; }
  void addWarning(const std::string &text) { warnings_.push_back(text); }
  /// Why the command fails; the latest counts.
  void fail(const Error &error) { error_ = jsonOf(error); }
  /// The same with a code of the command line's own, or with all that is wrong.
  ExitCode fail(std::string_view code, const std::string &message, const std::vector<std::string> &problems = {});

  /// The same where it is worth trying again.
  ExitCode failForNow(std::string_view code, const std::string &message, int secondsToComeBackIn);

  /// Something that happened, in a line of its own, now.
  void tell(const std::string &event, const json::Value &data, const json::Value &error = {}) const;

  /// The command has ended: prints the answer, if a program asked.
  void finish(ExitCode code);

private:
  json::Value envelope() const;
  json::Value errorFor(ExitCode code) const;

  bool isForProgram_ = false;
  std::string command_;
  std::string event_;
  json::Value data_;
  json::Value error_;
  std::vector<std::string> warnings_;
};

inline bool isForProgram() {
  return Answer::instance().isForProgram();
}

} // namespace aimlvideo::cli
