#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages: each option of the programs and no other, no mistake in their form, examples that work."""

import functools
import os
import re
import shutil
import subprocess

from support import BUILD, EMULATOR, IMAGE, KEY, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
PAGES = sorted((SOURCE / "docs/man").glob("*.1"))
# what each page explains; aimlvideo(1) has the commands that have no page of their own
SUBJECTS = {
    "aimlapi-emulator": [[EMULATOR]],
    "aimlvideo": [[COMMAND, name] for name in ("models", "check", "metrics", "balance", "doctor", "jobs", "limit", "inspect", "cache")],
    "aimlvideo-batch": [[COMMAND, "batch"]],
    "aimlvideo-generate": [[COMMAND, "generate"]],
    "aimlvideo-mcp": [[COMMAND, "mcp"]],
    "aimlvideo-submit": [[COMMAND, "submit"], [COMMAND, "wait"], [COMMAND, "fetch"]],
}
EXIT_CODES = {
    "aimlvideo": [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 75, 130],
    "aimlvideo-batch": [0, 1, 2, 3, 4, 5, 6, 9, 130],
    "aimlvideo-generate": [0, 1, 2, 3, 4, 5, 6, 7, 8, 130],
    "aimlvideo-mcp": [0, 2],
    "aimlvideo-submit": [0, 1, 2, 3, 4, 5, 6, 7, 8, 75, 130],
}
# what GOption and main() have for every command
EVERYWHERE = {"--help", "--help-all", "--version"}


def plain(text):
    """What a reader sees of the source of a page, without its macros."""
    return text.replace("\\-", "-").replace("\\(dq", '"').replace("\\(ti", "~").replace("\\&", "")


def section(page, name):
    return re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH|\Z)", page.read_text(), re.MULTILINE | re.DOTALL)[1]


@functools.cache
def help_of(*program):
    """With every option: commands of aimlvideo have some in their full help alone."""
    every = "--help-all" if program[0] == COMMAND and len(program) > 1 else "--help"
    return subprocess.run([*program, every], capture_output=True, text=True, check=True).stdout


@functools.cache
def rendered(page):
    environment = dict(os.environ, MANWIDTH="1000", LC_ALL="C.UTF-8", MAN_KEEP_FORMATTING="")
    return subprocess.run(["man", "--encoding=ascii", "--no-hyphenation", "--local-file", page], env=environment,
                          capture_output=True, text=True, check=True).stdout


class Manual(EndToEnd):
    def test_every_page_belongs_to_a_program(self):
        self.assertEqual(sorted(page.stem for page in PAGES), sorted(SUBJECTS))

    def test_a_page_has_each_option_of_the_help_and_no_other(self):
        for page in PAGES:
            options = set()
            for program in SUBJECTS[page.stem]:
                options.update(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", help_of(*program), re.MULTILINE))
            self.assertGreater(len(options), 10)
            # what the options of other programs are called is said in examples only
            text = rendered(page).split("\nEXAMPLES")[0]
            documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))
            with self.subTest(page.stem):
                self.assertEqual(documented - EVERYWHERE, options - EVERYWHERE)

    def test_short_names_of_options_are_those_of_the_help(self):
        for page in PAGES:
            for program in SUBJECTS[page.stem]:
                for short, option in re.findall(r"^  (-\w), (--[a-z-]+)", help_of(*program), re.MULTILINE):
                    if option != "--help":
                        with self.subTest(page=page.stem, option=option):
                            self.assertIn(f"{short}, {option}", rendered(page))

    def test_every_command_is_on_the_first_page_and_leads_to_its_own(self):
        text = plain((SOURCE / "docs/man/aimlvideo.1").read_text())
        commands = re.findall(r"^  ([a-z]+)  ", help_of(COMMAND), re.MULTILINE)
        self.assertGreater(len(commands), 5)
        for command in commands:
            self.assertRegex(text, rf"(?m)^\.BR? {command}\b")
        for command in ("generate", "batch", "submit", "mcp"):
            self.assertIn(f".BR aimlvideo-{command} (1)", text)

    def test_every_exit_code_is_explained_and_no_other(self):
        for name, codes in EXIT_CODES.items():
            with self.subTest(name):
                text = section(SOURCE / f"docs/man/{name}.1", "EXIT STATUS")
                self.assertEqual([int(code) for code in re.findall(r"^\.B (\d+)$", text, re.MULTILINE)], codes)

    def test_every_profile_is_explained_and_no_other(self):
        text = help_of(COMMAND, "generate")
        profiles = re.findall(r"^  (\w+) ", text.split("Profiles:\n")[1].split("\n\n")[0], re.MULTILINE)
        page = section(SOURCE / "docs/man/aimlvideo-generate.1", "PROFILES")
        self.assertEqual(re.findall(r"^\.TP\n\.B (\w+)$", page, re.MULTILINE), profiles)

    def test_the_pages_have_no_mistake_in_their_form(self):
        for page in PAGES:
            with self.subTest(page.stem):
                for command in (["groff", "-mandoc", "-Tutf8", "-ww", "-z"], ["man", "--warnings", "--local-file"]):
                    result = subprocess.run([*command, page], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
                    self.assertEqual((result.returncode, result.stderr), (0, ""))
                # the line that apropos(1) shows
                self.assertRegex(subprocess.run(["lexgrog", page], capture_output=True, text=True).stdout,
                                 rf'"{page.stem} - .+"')

    def test_the_examples_work_one_after_the_other(self):
        shutil.copy(IMAGE, self.folder / "mona.jpg")
        (self.folder / "clips").mkdir()
        manifest = re.search(r"clips.csv:\n\.nf\n(.*?)\.fi", section(SOURCE / "docs/man/aimlvideo-batch.1", "EXAMPLES"),
                             re.DOTALL)[1]
        (self.folder / "clips.csv").write_text(plain(manifest))
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url,
                           PATH=f"{BUILD}/tools/aimlvideo:{os.environ['PATH']}", **self.home)
        count = 0
        for page in PAGES:
            if page.stem == "aimlapi-emulator":  # its examples serve until they are stopped
                continue
            for line in re.findall(r"^\.B (aimlvideo .*)$", section(page, "EXAMPLES"), re.MULTILINE):
                with self.subTest(page=page.stem, line=line):
                    result = subprocess.run(["sh", "-euc", plain(line)], cwd=self.folder, env=environment,
                                            capture_output=True, text=True)
                    self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
                count += 1
        self.assertGreater(count, 8)
        for name in ("boat.mp4", "boat.webm", "glasses.mp4", "mona.mp4", "clips/lighthouse.webm"):
            self.assertIn("video", self.probe(self.folder / name))


if __name__ == "__main__":
    main()
