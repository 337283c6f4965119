// SPDX-License-Identifier: LGPL-2.1-or-later
#include "ledger/file_system.h"

#include <cerrno>
#include <cstring>
#include <initializer_list>
#include <utility>

#include <linux/magic.h>

#include "unit.h"

using namespace aimlvideo;
using namespace aimlvideo::test;

GST_START_TEST(what_one_kernel_alone_reaches_is_local) {
  // those that the kernel's headers name, by their names
  for (const long type : std::initializer_list<long>{
           EXT4_SUPER_MAGIC, XFS_SUPER_MAGIC, BTRFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, TMPFS_MAGIC, RAMFS_MAGIC,
           F2FS_SUPER_MAGIC, REISERFS_SUPER_MAGIC, NILFS_SUPER_MAGIC, ECRYPTFS_SUPER_MAGIC, MSDOS_SUPER_MAGIC,
           EXFAT_SUPER_MAGIC, UDF_SUPER_MAGIC, JFFS2_SUPER_MAGIC})
    fail_unless(fileSystemOf(static_cast<uint32_t>(type)).isLocal, "0x%lx", type);
  // and those of zfs, bcachefs, jfs and ntfs3
  for (const uint32_t type : {0x2fc12fc1U, 0xca451a4eU, 0x3153464aU, 0x7366746eU})
    fail_unless(fileSystemOf(type).isLocal, "0x%x", type);
}
GST_END_TEST

GST_START_TEST(what_others_reach_is_not_local_and_has_its_name) {
  const std::pair<long, const char *> shared[] = {
      {NFS_SUPER_MAGIC, "NFS"},   {SMB_SUPER_MAGIC, "SMB"},   {CIFS_SUPER_MAGIC, "CIFS"}, {SMB2_SUPER_MAGIC, "SMB"},
      {FUSE_SUPER_MAGIC, "FUSE"}, {V9FS_MAGIC, "9p"},         {AFS_SUPER_MAGIC, "AFS"},   {AFS_FS_MAGIC, "AFS"},
      {CEPH_SUPER_MAGIC, "Ceph"}, {CODA_SUPER_MAGIC, "Coda"}, {0x0bd00bd0, "Lustre"},     {0x7461636f, "OCFS2"},
      {0x01161970, "GFS2"},       {0x786f4256, "vboxsf"},
  };
  for (const auto &[type, name] : shared) {
    const FileSystem found = fileSystemOf(static_cast<uint32_t>(type));
    fail_if(found.isLocal, "%s", name);
    fail_unless_equals_text(found.name, name);
  }
}
GST_END_TEST

GST_START_TEST(what_can_not_be_told_is_not_local) {
  for (const uint32_t type : {0U, 0x12345678U, static_cast<uint32_t>(PROC_SUPER_MAGIC), 0xffffffffU})
    fail_if(fileSystemOf(type).isLocal, "0x%x", type);
  fail_unless_equals_text(fileSystemOf(0x12345678).name, "unknown, 0x12345678");
  fail_unless_contains(whyNotLocal("/proc"), "/proc is on a file system (unknown, 0x9fa0)");
  fail_unless_contains(whyNotLocal("/proc"), "could be bought twice");
  fail_unless_contains(whyNotLocal("/proc/none"),
                       std::string("does not tell what file system /proc/none is on: ") + strerror(ENOENT));
}
GST_END_TEST

GST_START_TEST(the_numbers_of_32_bits_count_whatever_the_system_makes_of_them) {
  const TemporaryFolder folder;
  fail_unless_equals_text(whyNotLocal(folder.path()), "");
  // with the highest bit set, as a long of 32 bits has it
  fail_unless(fileSystemOf(static_cast<uint32_t>(static_cast<int32_t>(BTRFS_SUPER_MAGIC))).isLocal);
}
GST_END_TEST

static Suite *file_system_suite() {
  Suite *suite = suite_create("file_system");
  TCase *tests = tcase_create("all");
  suite_add_tcase(suite, tests);
  tcase_add_test(tests, what_one_kernel_alone_reaches_is_local);
  tcase_add_test(tests, what_others_reach_is_not_local_and_has_its_name);
  tcase_add_test(tests, what_can_not_be_told_is_not_local);
  tcase_add_test(tests, the_numbers_of_32_bits_count_whatever_the_system_makes_of_them);
  return suite;
}

GST_CHECK_MAIN(file_system)
