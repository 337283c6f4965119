#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Another meson project has this one as a subproject, and the plugin in its program or the library beside it."""

import os
import pathlib
import shutil
import subprocess

from support import KEY, SOURCE, EndToEnd, main

# as docs/embedding.md has it
PROJECT = """\
project('player', 'c')
plugin = dependency('gstaimlapi', fallback: ['gst-aimlvideo', 'gstaimlapi_dep'],
  default_options: ['default_library=static', 'emulator=disabled'])
executable('player', 'player.c', dependencies: [plugin, dependency('gstreamer-1.0')])
"""

# as docs/library.md has it
MAKER = """\
project('maker', 'cpp', default_options: 'cpp_std=c++20')
aimlvideo = dependency('aimlvideo', fallback: ['gst-aimlvideo', 'libaimlvideo_dep'],
  default_options: ['plugin=disabled', 'emulator=disabled'])
executable('maker', 'engine.cpp', dependencies: aimlvideo)
"""


class Subproject(EndToEnd):
    def run_command(self, *command, **keywords):
        result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                text=True, **keywords)
        self.assertEqual(result.returncode, 0, result.stdout)
        return result.stdout

    def build(self, project, guide, program):
        self.assertIn(project, (SOURCE / guide).read_text())
        (self.folder / "subprojects").mkdir()
        (self.folder / "subprojects/gst-aimlvideo").symlink_to(SOURCE)
        (self.folder / "meson.build").write_text(project)
        build = self.folder / "build"
        said = self.run_command("meson", "setup", build, self.folder, "-Doptimization=0", "-Db_pch=true")
        self.assertIn("gst-aimlvideo", said)
        self.run_command("ninja", "-C", build, program)
        return build

    def test_a_program_gets_the_library_from_the_subproject(self):
        shutil.copy(SOURCE / "examples/engine.cpp", self.folder)
        program = self.build(MAKER, "docs/library.md", "maker") / "maker"
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home)
        self.run_command(program, f"--output={self.folder}/boat.mp4", "A paper boat", env=environment)
        self.assertIn("video", self.probe(self.folder / "boat.mp4"))

    def test_a_program_gets_the_plugin_from_the_subproject(self):
        shutil.copy(SOURCE / "examples/static.c", self.folder / "player.c")
        build = self.build(PROJECT, "docs/embedding.md", "player")
        self.assertNotIn("gstaimlapi", self.run_command("ldd", build / "player"))

        # where GStreamer finds nothing but its core elements
        plugins = pathlib.Path(self.run_command("pkg-config", "--variable=pluginsdir", "gstreamer-1.0").strip())
        (self.folder / "plugins").mkdir()
        (self.folder / "plugins/libgstcoreelements.so").symlink_to(plugins / "libgstcoreelements.so")
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, GST_PLUGIN_PATH="",
                           GST_PLUGIN_SYSTEM_PATH=str(self.folder / "plugins"),
                           GST_REGISTRY=str(self.folder / "registry"), **self.home)
        self.run_command(build / "player", "A paper boat", self.folder / "boat.mp4", env=environment)
        self.assertIn("video", self.probe(self.folder / "boat.mp4"))


if __name__ == "__main__":
    main()
