// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/json/value.h"
#include "exit_code.h"

namespace aimlvideo::cli {

/// When a terminal gets colours: where it takes them and `NO_COLOR` is not set, or by `--color`.
enum class ColourChoice { Auto, Always, Never };
void chooseColour(ColourChoice choice);

enum class Colour { Red = 31, Green = 32, Yellow = 33 };
/// A printable text as `stream` is to have it.
std::string coloured(const std::string &text, Colour colour, FILE *stream);

/// How much a command says beside its results, its warnings and its errors.
enum class Loudness { Quiet, Usual, Verbose };
void setLoudness(Loudness loudness);
Loudness loudness();

/// What is done before anything is printed below; one thing at a time. For the thread that prints.
void beforePrinting(std::function<void()> work);

/// Standard output carries what was asked for, standard error everything else. What is printed here, and below, is made
/// printable; a text of several lines may hold no foreign one of several. A program that asked by `--json` gets the
/// same errors and warnings in its answer, and nothing of what is printed for people on standard output.
void print(const std::string &text, std::optional<Colour> colour = {});

/// What a program gets that asked by `--json`, as the data of the answer; see Answer.
void printJson(const json::Value &value);

/// Prints an error in its three parts; returns the exit code that stands for it.
ExitCode printError(const Error &error);

/// A sentence about what went wrong, on standard error.
void printFailure(const std::string &text);

/// It has not come about yet. Says so with a code that stands for ExitCode::TryAgain, and returns that.
ExitCode printTryAgain(std::string_view code, const std::string &what, int secondsToComeBackIn);

/// A mistake in the command line, with a hint at `--help`.
void printUsageError(const std::string &what);

/// A remark that is no failure; once, however often it is made.
void printWarning(const std::string &text);

/// A paragraph broken at blanks into lines of at most `columns`, each behind `indent`.
std::string wrapped(const std::string &text, const std::string &indent, size_t columns = 78);

} // namespace aimlvideo::cli
