// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/json/value.h"
#include "exit_code.h"

namespace aimlvideo::cli {

/// Standard output carries what was asked for, standard error everything else. What is printed here, and below, is made
/// printable; a text of several lines may hold no foreign one of several.
void print(const std::string &text);

/// JSON as it is written, in which nothing acts on a terminal.
void printJsonText(const std::string &json);

/// Indented JSON for programs, as `--json` promises.
void printJson(const json::Value &value);

/// Prints an error in its three parts; returns the exit code that stands for it.
ExitCode printError(const Error &error);

/// A mistake in the command line, with a hint at `--help`.
void printUsageError(const std::string &what);

/// A remark that is no failure.
void printWarning(const std::string &text);

/// A paragraph broken at blanks into lines of at most 78 characters, each behind `indent`.
std::string wrapped(const std::string &text, const std::string &indent);

} // namespace aimlvideo::cli
