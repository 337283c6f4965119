// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <string>

#include "base/json/value.h"
#include "exit_code.h"

namespace aimlvideo::cli {

/// Standard output carries what was asked for, standard error everything else. What is printed here, and below, is made
/// printable; a text of several lines may hold no foreign one of several. A program that asked by `--json` gets the
/// same errors and warnings in its answer, and nothing of what is printed for people on standard output.
void print(const std::string &text);

/// What a program gets that asked by `--json`, as the data of the answer; see Answer.
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
