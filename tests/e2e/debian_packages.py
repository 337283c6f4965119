#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The Debian packages: built from a clean copy with the command of the README, installed, and tried as installed.

As root they are installed for real, and purged in the end. Otherwise, or where they are installed already, they are
unpacked into a folder, and the programs are shown the way there."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile

from support import BUILD, SOURCE, EndToEnd, main

PACKAGES = ("aimlvideo-tools", "gstreamer1.0-aimlvideo", "gstreamer1.0-aimlvideo-dev", "libaimlvideo-dev", "libaimlvideo0")
COMMAND = "dpkg-buildpackage -us -uc -b"
PLACE = BUILD / "tests/e2e/debian-packages"


def run(*command, **keywords):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **keywords)
    if result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}:\n{result.stdout}")
    return result.stdout


def clean_copy(folder):
    """What a release of the tree as it is would hold."""
    shutil.rmtree(folder, ignore_errors=True)
    if not (SOURCE / ".git").exists():
        shutil.copytree(SOURCE, folder, ignore=shutil.ignore_patterns("build*", "__pycache__"))
        return
    names = run("git", "-C", SOURCE, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0")
    for name in filter(None, names):
        if (SOURCE / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(SOURCE / name, folder / name, follow_symlinks=False)


def build():
    """{package: file}"""
    clean_copy(PLACE / "gst-aimlvideo")
    for file in PLACE.glob("*.*deb"):
        file.unlink()
    run(*COMMAND.split(), cwd=PLACE / "gst-aimlvideo", env=dict(os.environ, DEB_BUILD_OPTIONS="noautodbgsym"))
    return {file.name.split("_")[0]: file for file in PLACE.glob("*.deb")}


class DebianPackages(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.files = build()
        cls.scratch = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.scratch)
        # what the environment of the other tests shows of the build must not be found instead
        cls.environment = {name: value for name, value in os.environ.items() if not name.startswith("GST_")}
        cls.libraries = pathlib.Path("/usr/lib", run("dpkg-architecture", "-qDEB_HOST_MULTIARCH").strip())
        reason = cls.why_not_to_install()
        if reason:
            print(f"unpacked instead of installed: {reason}")
            cls.unpack()
        else:
            cls.addClassCleanup(run, "dpkg", "--purge", *PACKAGES)
            # small images leave out what we look for
            run("dpkg", "--path-include=/usr/share/man/*", "--path-include=/usr/share/doc/*", "--install",
                *cls.files.values())

    @staticmethod
    def why_not_to_install():
        if os.geteuid() != 0:
            return "that takes root"
        for package in PACKAGES:
            if subprocess.run(["dpkg-query", "-W", package], capture_output=True).returncode == 0:
                return f"{package} is installed already"
        return ""

    @classmethod
    def unpack(cls):
        root = cls.scratch / "root"
        for file in cls.files.values():
            run("dpkg-deb", "-x", file, root)
        cls.libraries = root / cls.libraries.relative_to("/")
        for name in ("gstreamer-1.0/pkgconfig/gstaimlapi.pc", "pkgconfig/aimlvideo.pc"):
            description = cls.libraries / name
            description.write_text(description.read_text().replace("prefix=/usr\n", f"prefix={root}/usr\n"))
        cls.environment |= {"PATH": f"{root}/usr/bin:{os.environ['PATH']}", "MANPATH": f"{root}/usr/share/man:",
                            "GST_PLUGIN_PATH": f"{cls.libraries}/gstreamer-1.0",
                            "GST_PRESET_PATH": f"{root}/usr/share/gstreamer-1.0/presets",
                            "LIBRARIES": str(cls.libraries), "LD_LIBRARY_PATH": str(cls.libraries),
                            "PKG_CONFIG_PATH": f"{cls.libraries}/pkgconfig"}

    def try_installed(self, name):
        """Runs one of debian/tests as autopkgtest does."""
        return run(SOURCE / "debian/tests" / name, env=self.environment | {"AUTOPKGTEST_TMP": str(self.folder)}, cwd="/")

    def test_there_are_these_packages_and_no_other(self):
        self.assertEqual(sorted(self.files), sorted(PACKAGES))

    def test_completion_is_where_the_shells_of_debian_look(self):
        contents = run("dpkg-deb", "--contents", self.files["aimlvideo-tools"])
        for path in ("bash-completion/completions/aimlvideo", "zsh/vendor-completions/_aimlvideo",
                     "fish/vendor_completions.d/aimlvideo.fish"):
            self.assertRegex(contents, rf"(?m)\./usr/share/{path}$")

    def test_the_readme_says_how_to_build_them(self):
        self.assertIn(f"\n{COMMAND}\n", (SOURCE / "README.md").read_text())

    def test_the_version_is_that_of_the_project(self):
        version, = re.findall(r"^  version: '(.+)',$", (SOURCE / "meson.build").read_text(), re.MULTILINE)
        for file in self.files.values():
            self.assertEqual(run("dpkg-deb", "-f", file, "Version").strip(), version)

    def test_programs_that_look_for_a_plugin_find_the_element_and_its_uris(self):
        fields = run("dpkg-deb", "-f", self.files["gstreamer1.0-aimlvideo"])
        self.assertIn("\nGstreamer-Elements: aimlmark, aimlvideosrc\n", fields)
        self.assertIn("\nGstreamer-Uri-Sources: aimlvideo\n", fields)

    def test_lintian_finds_nothing(self):
        changes, = PLACE.glob("*.changes")
        said = run("lintian", "--allow-root", "--fail-on", "error,warning", "--info", changes)
        self.assertNotRegex(said, r"(?m)^[EW]:")

    def test_the_installed_programs_the_plugin_and_the_pages_work_together(self):
        said = self.try_installed("smoke")
        self.assertRegex(said, r"(?m)^aimlvideo \d+\.\d+")
        self.assertEqual(set(self.probe(self.folder / "boat.mp4")), {"video", "audio"})
        self.assertEqual(self.probe(self.folder / "boat.webm")["video"]["codec_name"], "vp9")

    def test_a_program_links_the_library(self):
        self.assertIn("there is no API key", self.try_installed("library"))
        environment = self.environment | self.home | {"AIMLAPI_KEY": "any", "AIMLAPI_BASE_URL": self.emulator.url}
        clip = self.folder / "library.mp4"
        run(self.folder / "engine", f"--output={clip}", "A paper boat", env=environment)
        self.assertIn("video", self.probe(clip))

    def test_a_program_links_the_plugin_statically(self):
        self.assertIn("there is no API key", self.try_installed("static"))
        environment = self.environment | self.home | {"AIMLAPI_KEY": "any", "AIMLAPI_BASE_URL": self.emulator.url,
                                                      "GST_REGISTRY": str(self.folder / "registry")}
        clip = self.folder / "static.mp4"
        run(self.folder / "program", "A paper boat", clip, env=environment)
        self.assertIn("video", self.probe(clip))


if __name__ == "__main__":
    main()
