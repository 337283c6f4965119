// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <map>
#include <string>
#include <utility>

#include <unistd.h>

#include <aimlvideo/error.h>

namespace aimlvideo::cli {

enum class Overwrite { No, Yes };
enum class OutputKind { File, Folder };

/// What a stream says beside its playlist, which has a line for it alone: an XMP packet.
constexpr auto streamMarkName = "index.xmp";

/// Whether an output may get this name: nothing in its place, or something that may be replaced, and a folder that can
/// be written to.
Result<void> checkOutput(const std::string &output, OutputKind kind, Overwrite overwrite);

/// An open file or folder.
class Descriptor {
public:
  explicit Descriptor(int number = none) : number_(number) {}
  Descriptor(Descriptor &&other) noexcept : number_(std::exchange(other.number_, none)) {}
  Descriptor &operator=(Descriptor &&other) noexcept {
    std::swap(number_, other.number_);
    return *this;
  }
  ~Descriptor() {
    if (isOpen())
      ::close(number_);
  }

  int release() { return std::exchange(number_, none); }
  bool isOpen() const { return number_ != none; }
  int number() const { return number_; }

private:
  static constexpr int none = -1;
  int number_;
};

/// Where an output is made: a hidden folder beside it, `.NAME.part-` and six letters by chance, which goes with this
/// object. It is new, and everything in it is made and reached through descriptors, so that nobody who may write to the
/// folder of the output can put something in the way. What a run left there that was killed goes first, if it is this
/// user's own.
class WorkFolder {
public:
  static Result<WorkFolder> open(const std::string &output, OutputKind kind, Overwrite overwrite);
  /// Removes what a run left that was killed just after it had published the output.
  static void sweep(const std::string &output);
  WorkFolder(WorkFolder &&other) noexcept = default;
  WorkFolder &operator=(WorkFolder &&) = delete;
  ~WorkFolder() { remove(); }

  /// Makes an empty file, or the folder of a stream.
  Result<void> create(const std::string &name, OutputKind kind);
  /// A path to what was created, for this process: it leads to the descriptor, whatever happens to the names.
  std::string path(const std::string &name) const;
  /// Of the folder itself, likewise.
  std::string folderPath() const;
  /// Takes what has this name now for what was created: another program may have put it there. It must be a file that
  /// has no other name, and gets the permissions of what was created.
  Result<void> reopen(const std::string &name);
  int descriptor(const std::string &name) const { return made_.at(name).number(); }

  /// Writes `name` to the disk; it can be published afterwards.
  Result<void> settle(const std::string &name) const;
  /// Gives `name` the output's name, at once and as a whole.
  Result<void> publish(const std::string &name);
  /// Removes the folder and what is in it. What is open stays open, for who still writes to it.
  void remove();

private:
  WorkFolder(std::string output, std::string name, Descriptor parent, Descriptor folder, OutputKind kind,
             Overwrite overwrite)
      : output_(std::move(output)),
        name_(std::move(name)),
        parent_(std::move(parent)),
        folder_(std::move(folder)),
        kind_(kind),
        overwrite_(overwrite) {}

  std::string output_;
  std::string name_;  ///< in the folder of the output
  Descriptor parent_; ///< the folder of the output
  Descriptor folder_; ///< this one, locked; closed: moved away
  bool removed_ = false;
  std::map<std::string, Descriptor> made_;
  std::map<std::string, unsigned> permissions_; ///< with which they were made
  OutputKind kind_;
  Overwrite overwrite_;
};

} // namespace aimlvideo::cli
