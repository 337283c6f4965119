// SPDX-License-Identifier: LGPL-2.1-or-later
#include "completion.h"

#include <algorithm>
#include <cstdio>
#include <set>
#include <sstream>

#include <aimlvideo/catalogue.h>
#include <aimlvideo/folders.h>
#include <aimlvideo/ledger.h>
#include <aimlvideo/printable.h>

#include "ledger/inspection.h"
#include "options.h"
#include "table.h"

namespace aimlvideo::cli {

namespace {

/// What a word may become.
class Candidates {
public:
  explicit Candidates(std::string typed) : typed_(std::move(typed)) {}

  void add(const std::string &word, const std::string &meaning = "") {
    constexpr size_t widest = 60;
    if (word.starts_with(typed_))
      lines_ += printable(word) + (meaning.empty() ? "" : "\t" + fitted(printable(meaning), widest)) + "\n";
  }
  /// `:files` or `:folders`, whatever was typed.
  void leaveToShell(const char *what) { lines_ += std::string(what) + "\n"; }
  void print() const { std::fwrite(lines_.data(), 1, lines_.size(), stdout); }

private:
  const std::string typed_; ///< of the word so far
  std::string lines_;
};

/// The words before the one that is being typed, as the command understands them.
struct Line {
  std::vector<std::string> positional;
  std::set<std::string> given;           ///< names of options
  std::string model;                     ///< value of --model
  const OptionFacts *awaiting = nullptr; ///< the option whose value is being typed
  bool onlyPositional = false;           ///< behind `--`
};

const OptionFacts *optionFor(const CommandFacts &facts, const std::string &word) {
  const auto isMeant = [&word](const OptionFacts &option) {
    return word.starts_with("--") ? word.substr(2, word.find('=') - 2) == option.name
                                  : word.size() >= 2 && word[0] == '-' && word[1] == option.letter;
  };
  const auto found = std::ranges::find_if(facts.options, isMeant);
  return found == facts.options.end() ? nullptr : &*found;
}

Line read(const CommandFacts &facts, std::span<const std::string> words) {
  Line line;
  for (const std::string &word : words) {
    if (const OptionFacts *option = std::exchange(line.awaiting, nullptr)) {
      if (option->name == "model")
        line.model = word;
      continue;
    }
    if (line.onlyPositional || !word.starts_with('-') || word == "-") {
      line.positional.push_back(word);
      continue;
    }
    line.onlyPositional = word == "--";
    const OptionFacts *option = optionFor(facts, word);
    if (!option)
      continue;
    line.given.insert(option->name);
    const size_t equals = word.find('=');
    const bool hasValue = word.starts_with("--") ? equals != std::string::npos : word.size() > 2;
    if (!option->placeholder.empty() && !hasValue)
      line.awaiting = option;
    if (hasValue && option->name == "model")
      line.model = word.substr(word.starts_with("--") ? equals + 1 : 2);
  }
  return line;
}

void addModels(Candidates &candidates) {
  for (const std::string &name : Catalogue::instance().names())
    candidates.add(name);
}

void addJobs(Candidates &candidates) {
  constexpr unsigned most = 200;
  for (const JobName &job : newestJobs(stateFolder(), most))
    candidates.add(std::to_string(job.id), job.state + ", " + (job.prompt.empty() ? job.model : job.prompt));
}

void addProfiles(Candidates &candidates) {
  const auto all = commands();
  const auto generate =
      std::ranges::find_if(all, [](const Command &command) { return std::string_view(command.name) == "generate"; });
  const CommandFacts facts = factsOf(*generate); // which is without profiles where there is no GStreamer
  if (const OptionFacts *option = optionFor(facts, "--profile"))
    for (const std::string &choice : option->choices)
      candidates.add(choice);
}

void addStates(Candidates &candidates) {
  for (int state = 0; state <= static_cast<int>(LedgerRow::State::NotBought); ++state)
    candidates.add(nameOf(static_cast<LedgerRow::State>(state)));
}

/// What the model that is named takes for a field.
void addAllowed(const std::string &field, const std::string &model, Candidates &candidates) {
  const Model *known = Catalogue::instance().find(model);
  std::string name = field;
  std::ranges::replace(name, '-', '_');
  const Parameter *parameter = known ? known->parameter(name) : nullptr;
  if (parameter)
    for (const std::string &value : parameter->allowed)
      candidates.add(value);
}

void addValues(const OptionFacts &option, const Line &line, Candidates &candidates) {
  using Value = OptionFacts::Value;
  if (!option.choices.empty()) {
    for (const std::string &choice : option.choices)
      candidates.add(choice);
  } else if (option.name == "model") {
    addModels(candidates);
  } else if (option.name == "profile") {
    addProfiles(candidates);
  } else if (option.name == "state") {
    addStates(candidates);
  } else if (option.value == Value::Folder || option.name == "temp-dir") {
    candidates.leaveToShell(":folders");
  } else if (option.value == Value::File) {
    candidates.leaveToShell(":files");
  } else {
    addAllowed(option.name, line.model, candidates);
  }
}

void addOptions(const CommandFacts &facts, const Line &line, Candidates &candidates) {
  for (const OptionFacts &option : facts.options)
    if (!line.given.contains(option.name) || option.name == "verbose")
      candidates.add("--" + option.name, option.about.substr(0, option.about.find(';')));
}

/// The ways to give arguments, such as `show ID` out of `[list | show ID]`; what is in inner brackets may be missing.
std::vector<std::vector<std::string>> waysIn(std::string arguments) {
  std::erase_if(arguments, [](char c) { return c == '[' || c == ']'; });
  std::vector<std::vector<std::string>> ways(1);
  std::istringstream words(arguments);
  for (std::string word; words >> word;)
    if (word == "|")
      ways.emplace_back();
    else
      ways.back().push_back(word);
  return ways;
}

bool isPlaceholder(const std::string &word) {
  return g_ascii_isupper(word.front());
}

/// The word of a way that stands at a place; empty: it has none there.
std::string wordAt(const std::vector<std::string> &way, const std::vector<std::string> &before) {
  for (size_t i = 0; i < before.size() && i < way.size(); ++i)
    if (!isPlaceholder(way[i]) && way[i] != before[i])
      return "";
  if (before.size() < way.size())
    return way[before.size()];
  return !way.empty() && way.back().ends_with("...") ? way.back() : "";
}

void addArguments(const CommandFacts &facts, const Line &line, Candidates &candidates) {
  bool jobs = false;
  std::set<std::string> seen; // of several ways with the same beginning
  for (const auto &way : waysIn(facts.arguments)) {
    const std::string word = wordAt(way, line.positional);
    if (word.empty() || word.starts_with('-') || !seen.insert(word).second)
      continue;
    if (!isPlaceholder(word))
      candidates.add(word);
    else if (word == "FILE" || word == "MANIFEST")
      candidates.leaveToShell(":files");
    else if (facts.name == "models")
      addModels(candidates);
    else
      jobs = jobs || word == "ID" || word.starts_with("JOB");
  }
  if (jobs)
    addJobs(candidates);
}

void completeFor(const Command &command, std::span<const std::string> words, const std::string &typed) {
  const CommandFacts facts = factsOf(command);
  const Line line = read(facts, words);
  const size_t equals = typed.find('=');
  const OptionFacts *option = line.awaiting;
  if (!option && !line.onlyPositional && typed.starts_with("--") && equals != std::string::npos)
    option = optionFor(facts, typed);
  Candidates candidates(option && !line.awaiting ? typed.substr(equals + 1) : typed);
  if (option)
    addValues(*option, line, candidates);
  else if (typed.starts_with('-') && !line.onlyPositional)
    addOptions(facts, line, candidates);
  else
    addArguments(facts, line, candidates);
  candidates.print();
}

void completeCommand(const std::string &typed, bool isOfHelp) {
  Candidates candidates(typed);
  for (const Command &command : commands())
    candidates.add(command.name, command.summary);
  if (!isOfHelp) {
    candidates.add("help", "explain a command");
    candidates.add("--help", "list the commands");
    candidates.add("--version", "show the version");
  }
  candidates.print();
}

} // namespace

ExitCode printCompletions(const Arguments &arguments) {
  const size_t begin = !arguments.empty() && arguments.front() == "--" ? 1 : 0;
  if (arguments.size() == begin)
    return ExitCode::Usage;
  const std::span<const std::string> words(arguments.begin() + static_cast<ptrdiff_t>(begin), arguments.end() - 1);
  const std::string &typed = arguments.back();
  if (words.empty() || (words.front() == "help" && words.size() == 1)) {
    completeCommand(typed, !words.empty());
    return ExitCode::Success;
  }
  const auto all = commands();
  const auto command =
      std::ranges::find_if(all, [&words](const Command &known) { return words.front() == known.name; });
  if (command != all.end())
    completeFor(*command, words.subspan(1), typed);
  return ExitCode::Success;
}

} // namespace aimlvideo::cli
