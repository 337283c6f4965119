// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/file_system.h"

#include <algorithm>
#include <cerrno>
#include <iterator>

#include <glib.h>
#include <sys/vfs.h>

namespace aimlvideo {

namespace {

struct Known {
  uint32_t type;
  const char *name;
  bool isLocal;
};

/// As linux/magic.h and the sources of the file systems have the numbers. What is not here is not known to be local.
///
/// Not local is as well what a host gives to a virtual machine or a container (9p, virtiofs, vboxsf): the host and its
/// other guests don't see the guest's locks. A FUSE file system can be anything, and statfs(2) does not tell which; of
/// overlay the kernel refuses an upper layer that is not local.
constexpr Known knownTypes[] = {
    {0xef53, "ext4", true}, // ext2 and ext3 too
    {0xef51, "ext2", true},
    {0x58465342, "xfs", true},
    {0x9123683e, "btrfs", true},
    {0x2fc12fc1, "zfs", true},
    {0xca451a4e, "bcachefs", true},
    {0xf2f52010, "f2fs", true},
    {0x794c7630, "overlay", true},
    {0x01021994, "tmpfs", true},
    {0x858458f6, "ramfs", true},
    {0x52654973, "reiserfs", true},
    {0x3153464a, "jfs", true},
    {0x3434, "nilfs2", true},
    {0xf15f, "ecryptfs", true},
    {0x4d44, "vfat", true},
    {0x2011bab0, "exfat", true},
    {0x7366746e, "ntfs3", true},
    {0x482b, "hfsplus", true},
    {0x15013346, "udf", true},
    {0x24051905, "ubifs", true},
    {0x72b6, "jffs2", true},
    {0x6969, "NFS", false},
    {0x517b, "SMB", false},
    {0xff534d42, "CIFS", false},
    {0xfe534d42, "SMB", false},
    {0x65735546, "FUSE", false}, // sshfs, rclone, GlusterFS, virtiofs, ntfs-3g, gocryptfs ...
    {0x01021997, "9p", false},   // WSL's /mnt/c, Plan 9 shares of a host, gVisor
    {0x5346414f, "AFS", false},
    {0x6b414653, "AFS", false},
    {0x73757245, "Coda", false},
    {0x00c36400, "Ceph", false},
    {0x0bd00bd0, "Lustre", false},
    {0x47504653, "GPFS", false},
    {0x20030528, "OrangeFS", false},
    {0xaad7aaea, "PanFS", false},
    {0x7461636f, "OCFS2", false},
    {0x01161970, "GFS2", false},
    {0x786f4256, "vboxsf", false},
    {0x53464846, "wslfs", false}, // of WSL 1, which has Windows' drives under the same number
};

} // namespace

FileSystem fileSystemOf(uint32_t type) {
  const auto *const known = std::ranges::find(knownTypes, type, &Known::type);
  if (known != std::end(knownTypes))
    return {known->name, known->isLocal};
  char number[sizeof "0x00000000"];
  g_snprintf(number, sizeof number, "0x%x", type);
  return {std::string("unknown, ") + number, false};
}

std::string whyNotLocal(const std::string &path) {
  struct statfs facts{};
  int result = 0;
  do
    result = statfs(path.c_str(), &facts);
  while (result != 0 && errno == EINTR);
  if (result != 0)
    return "the system does not tell what file system " + path + " is on: " + g_strerror(errno);
  const FileSystem found = fileSystemOf(static_cast<uint32_t>(facts.f_type));
  if (found.isLocal)
    return "";
  return path + " is on a file system (" + found.name +
         ") that other machines or a host may reach, whose locks do not hold here: the same request could be bought "
         "twice";
}

} // namespace aimlvideo
