// SPDX-License-Identifier: LGPL-2.1-or-later
#pragma once

#include <span>
#include <string>

#include <aimlvideo/error.h>

namespace aimlvideo::cli {

/// One stream of a profile: what it becomes and who makes it.
struct StreamFormat {
  const char *caps = nullptr;        ///< of the encoded stream; null: the profile has no such stream
  const char *restriction = nullptr; ///< of the raw stream before the encoder; null: any
  const char *encoder = nullptr;     ///< name of the element
  const char *settings = nullptr;    ///< of the encoder, as `NAME=VALUE NAME=VALUE`; null: its own
};

/// What a clip becomes.
struct Profile {
  enum class Kind {
    AsIs,   ///< the clip's own bytes
    File,   ///< both streams in one container
    Hls,    ///< a folder of segments and their playlist
    Poster, ///< the first frame as a picture
  };
  enum class Silence {
    LeftOut, ///< a clip without sound makes a file without sound
    Added,   ///< it gets a silent track, since players or later joins count on one
  };

  const char *name;
  const char *extension; ///< of the output's usual name, without the dot; null: a folder
  const char *mediaType; ///< null: a folder
  const char *about;     ///< one line
  Kind kind;
  Silence silence;
  const char *container; ///< caps; null: none
  const char *muxer;     ///< name of the element; null: none
  const char *muxerSettings;
  StreamFormat video;
  StreamFormat audio;
};

/// All of them; the first is what a clip becomes when nobody says anything.
std::span<const Profile> profiles();

/// The names, for help and errors: `mp4, h264, webm`.
std::string profileNames();

/// The names as the placeholder of an option: `mp4|h264|webm`.
std::string choicesOfProfiles();

/// NotFound names the nearest.
Result<const Profile *> findProfile(const std::string &name);

/// The profile that makes what a name says by its extension; the first one where several do. BadRequest: none does.
Result<const Profile *> profileFor(const std::string &output);

/// Refuses a name that says that something else is inside, such as `a.webm` for an MP4.
Result<void> checkExtension(const Profile &profile, const std::string &output);

/// How frames are to be, whatever the clip has. 0: as in the clip.
struct Shape {
  int width = 0;
  int height = 0;
  int rate = 0; ///< frames per second

  bool any() const { return width > 0 || rate > 0; }
};

/// Sizes `WIDTHxHEIGHT`, even and at least 16; BadRequest otherwise.
Result<void> parseSize(const std::string &text, Shape &shape);
/// Frames per second, 1 to 240; BadRequest otherwise.
Result<void> parseRate(const std::string &text, Shape &shape);

} // namespace aimlvideo::cli
