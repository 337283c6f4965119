// SPDX-License-Identifier: LGPL-2.1-or-later
// Runs a target over the files of its corpus, where libFuzzer is not there to do it.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <vector>

#include "fuzz.h"

int main(int argc, char **argv) {
  std::set<std::filesystem::path> files;
  for (int i = 1; i < argc; ++i)
    for (const auto &entry : std::filesystem::directory_iterator(argv[i]))
      files.insert(entry.path());
  for (const auto &file : files) {
    std::fprintf(stderr, "%s\n", file.c_str()); // the last one is to blame
    std::ifstream stream(file, std::ios::binary);
    const std::vector<char> bytes{std::istreambuf_iterator<char>(stream), {}};
    LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size());
  }
  const uint8_t nothing = 0;
  LLVMFuzzerTestOneInput(&nothing, 0);
  std::printf("%zu inputs\n", files.size());
  return files.empty() ? 1 : 0;
}
