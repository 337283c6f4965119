#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""`meson install` puts plugin and tools where GStreamer and users find them."""

import os
import pathlib
import subprocess
import tempfile
import unittest

from support import BUILD, SOURCE, main


class Install(unittest.TestCase):
    def test_the_installed_plugin_is_found_and_described(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", folder], check=True,
                           stdout=subprocess.DEVNULL)
            plugins = list(pathlib.Path(folder).glob("**/gstreamer-1.0/libgstaimlapi.so"))
            self.assertEqual(len(plugins), 1)
            self.assertEqual(len(list(pathlib.Path(folder).glob("**/bin/aimlapi-emulator"))), 1)
            for pattern in ("bin/aimlvideo", "gstreamer-1.0/presets/GstAimlVideoSrc.prs",
                            "share/bash-completion/completions/aimlvideo", "share/zsh/site-functions/_aimlvideo",
                            "share/fish/vendor_completions.d/aimlvideo.fish",
                            *(f"man1/{page.name}" for page in (SOURCE / "docs/man").iterdir())):
                self.assertEqual(len(list(pathlib.Path(folder).glob("**/" + pattern))), 1, pattern)
            library, = pathlib.Path(folder).glob("**/libaimlvideo.so.0")
            environment = dict(os.environ, GST_PLUGIN_PATH=str(plugins[0].parent), GST_REGISTRY=folder + "/registry",
                               LD_LIBRARY_PATH=str(library.parent))
            page = subprocess.run(["gst-inspect-1.0", "aimlvideosrc"], env=environment, capture_output=True, text=True)
            self.assertEqual(page.returncode, 0, page.stderr)
            for word in ("Source/Network", "Rank                     none", "prompt ", "Write only", str(plugins[0])):
                self.assertIn(word, page.stdout)

    def test_devenv_lets_gstreamer_find_the_built_plugin(self):
        environment = {name: value for name, value in os.environ.items() if name != "GST_PLUGIN_PATH"}
        with tempfile.TemporaryDirectory() as folder:
            environment["GST_REGISTRY"] = folder + "/registry"
            page = subprocess.run(["meson", "devenv", "-C", BUILD, "gst-inspect-1.0", "aimlvideosrc"], env=environment,
                                  capture_output=True, text=True)
        self.assertEqual(page.returncode, 0, page.stderr)
        self.assertIn("AI/ML API generated video source", page.stdout)


if __name__ == "__main__":
    main()
