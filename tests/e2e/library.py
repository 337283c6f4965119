#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""libaimlvideo as `meson install` leaves it, for programs that have nothing but its headers, GLib's and tl-expected's."""

import os
import pathlib
import re
import subprocess
import tempfile

from support import BUILD, IMAGE, KEY, SOURCE, EndToEnd, main

GUIDE = SOURCE / "docs/library.md"
STRANGERS = ("libsoup", "json-glib", "sqlite", "gstreamer", "/src/")


def run(*command, **keywords):
    result = subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            **keywords)
    if result.returncode != 0:
        raise AssertionError(f"{command} ended with {result.returncode}:\n{result.stdout}")
    return result.stdout


class Library(EndToEnd):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.stage = pathlib.Path(folder.name)
        run("meson", "install", "-C", BUILD, "--no-rebuild", "--quiet", "--destdir", cls.stage)
        cls.headers, = cls.stage.glob("**/include/aimlvideo")
        cls.library, = cls.stage.glob("**/libaimlvideo.so")
        description, = cls.stage.glob("**/pkgconfig/aimlvideo.pc")
        # as if the stage were the root of the system
        text = description.read_text()
        prefix = re.search(r"^prefix=(.*)$", text, re.MULTILINE)[1]
        description.write_text(text.replace(f"prefix={prefix}", f"prefix={cls.stage}{prefix}"))
        found = dict(os.environ, PKG_CONFIG_PATH=str(description.parent))
        cls.flags = run("pkg-config", "--cflags", "aimlvideo", env=found).split()
        cls.libraries = run("pkg-config", "--libs", "aimlvideo", env=found).split()

    def compile(self, source, *words):
        return run(os.environ.get("CXX", "c++"), "-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-x", "c++",
                   source, *self.flags, *words)

    def test_each_header_stands_alone_and_brings_no_other_library_along(self):
        names = sorted(path.name for path in self.headers.iterdir())
        self.assertEqual(names, sorted(path.name for path in (SOURCE / "include/aimlvideo").iterdir()))
        source = self.folder / "one.cpp"
        for name in names:
            with self.subTest(header=name):
                source.write_text(f"#include <aimlvideo/{name}>\nint main() {{}}\n")
                opened = self.compile(source, "-M")
                self.assertIn(str(self.headers / name), opened)
                for stranger in STRANGERS:
                    self.assertNotIn(stranger, opened)
                self.compile(source, "-fsyntax-only")

    def test_the_one_header_has_all_of_them(self):
        inside = {"aimlvideo.h", "export.h"}
        text = (self.headers / "aimlvideo.h").read_text()
        for path in self.headers.iterdir():
            if path.name not in inside and path.name not in ("glib_ptr.h", "secret.h"):  # those come with settings.h
                self.assertIn(f"#include <aimlvideo/{path.name}>", text)

    def test_the_library_shows_what_the_headers_name_and_nothing_else(self):
        words = set(re.findall(r"\w+", "".join(path.read_text() for path in self.headers.iterdir())))
        symbols = run("nm", "--dynamic", "--defined-only", "--demangle", self.library).splitlines()
        shown = set()
        for symbol in symbols:
            name = re.search(r" [A-Za-z] (?:(?:vtable|typeinfo|typeinfo name|guard variable) for )?(.*)", symbol)[1]
            part = re.match(r"aimlvideo::(\w+)", name)
            self.assertIsNotNone(part, f"{name} is not the engine's")
            self.assertIn(part[1], words, f"{name} is in no header")
            shown.add(part[1])
        for part in ("Job", "checkSettings", "Catalogue", "fetchBalance", "ledgerRows", "ClipStore", "Error", "Status"):
            self.assertIn(part, shown)

    def test_every_word_of_the_guide_s_table_is_in_the_header_of_its_row(self):
        rows = re.findall(r"^\| (`\w+\.h`(?:, `\w+\.h`)*) \| (.*) \|$", GUIDE.read_text(), re.MULTILINE)
        told = set()
        for headers, about in rows:
            names = re.findall(r"`(\w+\.h)`", headers)
            told.update(names)
            text = "".join((self.headers / name).read_text() for name in names)
            for word in re.findall(r"`(\w+)(?:\(\)|<T>)?`", about):
                self.assertRegex(text, rf"\b{word}\b")
        self.assertEqual(told, {path.name for path in self.headers.iterdir()} - {"aimlvideo.h", "export.h"})

    def test_a_program_with_the_guide_s_command_makes_a_clip(self):
        command, = re.findall(r"^c\+\+ .*$", GUIDE.read_text(), re.MULTILINE)
        self.assertEqual(command, "c++ -std=c++20 engine.cpp $(pkg-config --cflags --libs aimlvideo) -o engine")
        program = self.folder / "engine"
        self.compile(SOURCE / "examples/engine.cpp", *self.libraries, "-o", program)
        needed = run("ldd", program, env=dict(os.environ, LD_LIBRARY_PATH=str(self.library.parent)))
        self.assertIn(str(self.library.parent / "libaimlvideo.so.0"), needed)
        self.assertNotIn("libgst", needed)
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url,
                           LD_LIBRARY_PATH=str(self.library.parent), **self.home)
        clip = self.folder / "mona.mp4"
        for _ in range(2):
            run(program, f"--image={IMAGE}", f"--output={clip}", "Mona Lisa puts on glasses", env=environment)
            self.assertIn("video", self.probe(clip))
        self.assertEqual(self.emulator.report()["billable"], 1)


if __name__ == "__main__":
    main()
