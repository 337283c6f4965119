#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion: what the program says there is, and what bash, zsh and fish make of it when somebody presses Tab."""

import os
import pty
import re
import resource
import shlex
import shutil
import subprocess
import time
import unittest

import envelope
from support import KEY, PATIENCE, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
FILES = SOURCE / "tools/aimlvideo/completion"
MODEL = "klingai/video-v2-6-pro-text-to-video"
# nothing of it may happen, or divide a line
HOSTILE = "$(touch pwned) `touch pwned` ; touch pwned\n:files\ta:b \x1b[31m"
STAND_IN = """#!/bin/sh
[ "$1" = complete ] && exec %s "$@"
echo; for word; do printf 'GOT<%%s>' "$word"; done; echo DONE
"""


class Completion(EndToEnd):
    def setUp(self):
        super().setUp()
        self.work = self.folder / "work"
        (self.work / "clips").mkdir(parents=True)
        (self.work / "clips.csv").write_text("prompt,output\n")
        (self.work / "two words.jpg").write_text("")
        self.environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, HOME=str(self.work),
                                **self.home)

    def run_command(self, *words):
        return subprocess.run([COMMAND, *words], env=self.environment, cwd=self.work, capture_output=True, text=True)

    def complete(self, *words):
        """What the last word may become: {word: meaning}."""
        run = self.run_command("complete", "--", *words)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return dict((line.split("\t") + [""])[:2] for line in run.stdout.splitlines())

    def buy(self, prompt):
        made = self.run_command("generate", "-p", prompt, "-o", "boat.mp4", "--store-prompt=true", "--json")
        self.assertEqual(made.returncode, 0, made.stdout + made.stderr)
        (self.work / "boat.mp4").unlink()


class Program(Completion):
    def test_commands_and_options_are_those_of_the_help(self):
        facts = envelope.data(self.run_command("help", "--json").stdout)["commands"]
        for typed in (("",), ("help", "")):
            offered = self.complete(*typed)
            for command in facts:
                self.assertEqual(offered[command["name"]], command["summary"])
        self.assertNotIn("complete", self.complete(""))
        for command in facts:
            self.assertEqual(list(self.complete(command["name"], "--")), ["--" + option["name"] for option in command["options"]])
            for option in command["options"]:
                for choice in option.get("choices", ()):
                    self.assertIn(choice, self.complete(command["name"], "--" + option["name"], ""))
                    self.assertIn(choice, self.complete(command["name"], f"--{option['name']}={choice[:1]}"))

    def test_what_was_given_is_offered_no_more(self):
        self.assertNotIn("--prompt", self.complete("check", "-p", "a", "--"))
        self.assertNotIn("--prompt", self.complete("check", "--prompt=a", "--"))
        self.assertIn("--prompt", self.complete("check", "--model", "--prompt", "--"))  # which is the model's name
        self.assertEqual(self.complete("check", "-p", "--"), {})
        self.assertEqual(self.complete("check", "--", "--pro"), {})

    def test_the_words_of_a_command_are_offered_once_and_where_they_belong(self):
        self.assertEqual(self.run_command("complete", "--", "limit", "").stdout.split(), ["show", "set", "unset"])
        self.assertEqual(self.run_command("complete", "--", "limit", "unset", "").stdout.split(), ["day", "month"])
        self.assertEqual(self.complete("limit", "set", ""), {})

    def test_models_by_their_ids_and_what_a_model_takes(self):
        ids = {model["id"] for model in envelope.data(self.run_command("models", "--json").stdout)["models"]}
        for typed in (("models", ""), ("check", "--model", ""), ("check", "-m", ""), ("batch", "--model=")):
            self.assertLessEqual(ids, set(self.complete(*typed)))
        self.assertEqual(set(self.complete("models", "klingai/video-v2-6-m")), {"klingai/video-v2-6-motion-control"})
        self.assertEqual(list(self.complete("generate", "-m", MODEL, "-d", "")), ["5", "10"])
        self.assertEqual(list(self.complete("generate", f"--model={MODEL}", "--aspect-ratio=1")), ["16:9", "1:1"])
        self.assertEqual(self.complete("generate", "--duration", ""), {})

    def test_profiles_files_and_folders(self):
        profiles = ["mp4", "h264", "webm", "hls", "prores", "poster"]
        for command in ("generate", "fetch", "batch", "doctor"):
            self.assertEqual(list(self.complete(command, "--profile", "")), profiles)
        for typed in (("batch", ""), ("generate", "-o", ""), ("check", "--image=x"), ("jobs", "resume", "1", ""), ("fetch", "1", "-o", "")):
            self.assertEqual(list(self.complete(*typed)), [":files"])
        for typed in (("mcp", "--output-folder", ""), ("batch", "--report=x"), ("generate", "--temp-dir", "")):
            self.assertEqual(list(self.complete(*typed)), [":folders"])
        for typed in (("generate", ""), ("generate", "A boat", ""), ("balance", ""), ("modls", ""), ("batch", "a.csv", "")):
            self.assertEqual(self.complete(*typed), {})

    def test_jobs_by_their_ids_with_what_they_are(self):
        for typed in ("wait", "fetch"):
            self.assertEqual(self.complete(typed, ""), {})
        self.assertEqual(list(self.folder.glob("state/**/*")), [])  # nothing was made by looking
        self.buy("A paper boat")
        self.buy(HOSTILE)
        for typed in (("wait", ""), ("wait", "1", ""), ("fetch", ""), ("jobs", "show", ""), ("jobs", "resolve", ""), ("jobs", "forget", "")):
            jobs = self.complete(*typed)
            self.assertEqual(list(jobs), ["2", "1"])
            self.assertEqual(jobs["1"], "completed, A paper boat")
        self.assertEqual(list(self.complete("jobs", "")), ["list", "show", "resume", "resolve", "forget"])
        self.assertIn("completed", self.complete("jobs", "list", "--state", ""))
        self.assertEqual(self.complete("jobs", "list", "show", ""), {})

    def test_a_completion_takes_less_than_50_milliseconds_of_processor_time(self):
        self.buy("A paper boat")
        for words in (("",), ("generate", "--"), ("generate", "--model", ""), ("wait", ""), ("doctor", "--profile", "")):
            best = 1.0
            for _ in range(5):
                before = resource.getrusage(resource.RUSAGE_CHILDREN)
                self.complete(*words)
                after = resource.getrusage(resource.RUSAGE_CHILDREN)
                best = min(best, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
            print(f"{' '.join(words)!r}: {1000 * best:.0f} ms")
            self.assertLess(best, 0.05, words)


class Shell(Completion):
    """A line typed into a real shell, with Tab at its end, and what the command then got. An underscore stands for Tab."""

    LINES = {
        "aimlvideo mod_": ["models"],
        "aimlvideo generate --neg_": ["generate", "--negative-prompt"],
        "aimlvideo models klingai/video-v2-6-m_": ["models", "klingai/video-v2-6-motion-control"],
        "aimlvideo check --model=klingai/video-v2-6-m_": ["check", "--model=klingai/video-v2-6-motion-control"],
        "aimlvideo check -m klingai/video-v2-6-m_": ["check", "-m", "klingai/video-v2-6-motion-control"],
        "aimlvideo generate 'A boat' --profile po_": ["generate", "A boat", "--profile", "poster"],
        "aimlvideo generate --profile=h2_": ["generate", "--profile=h264"],
        f"aimlvideo check --model {MODEL} --aspect-ratio 9_": ["check", "--model", MODEL, "--aspect-ratio", "9:16"],
        f"aimlvideo check --model {MODEL} --aspect-ratio=9:_": ["check", "--model", MODEL, "--aspect-ratio=9:16"],
        "aimlvideo batch clips._": ["batch", "clips.csv"],
        "aimlvideo check --image=two_": ["check", "--image=two words.jpg"],
        "aimlvideo check --image two_": ["check", "--image", "two words.jpg"],
        "aimlvideo batch --report cl_": ["batch", "--report", "clips/"],
        "aimlvideo jobs forg_": ["jobs", "forget"],
        "aimlvideo jobs show _": ["jobs", "show", "1"],
        "aimlvideo generate cli_": ["generate", "cli"],  # a prompt is nobody else's business
    }

    def setUp(self):
        super().setUp()
        self.buy(HOSTILE)
        programs = self.folder / "programs"
        programs.mkdir()
        program = programs / "aimlvideo"
        program.write_text(STAND_IN % shlex.quote(COMMAND))
        program.chmod(0o755)
        self.environment |= {"PATH": f"{programs}:{os.environ['PATH']}", "TERM": "dumb", "HISTFILE": ""}

    def type_into(self, words, setup):
        """{line: what the command got}"""
        process, terminal = pty.fork()
        if process == 0:
            os.chdir(self.work)
            os.execvpe(words[0], words, self.environment)
        output = ""

        def read_until(pattern):
            nonlocal output
            deadline = time.monotonic() + PATIENCE
            while not (found := re.search(pattern, output, re.DOTALL)):
                self.assertLess(time.monotonic(), deadline, f"no {pattern}: {output!r}")
                output += os.read(terminal, 65536).decode(errors="replace")
            output = output[found.end():]
            return found

        os.write(terminal, f"{setup}; PS1='READY'; echo SET''UP\n".encode())
        read_until("SETUP.*READY")
        got = {}
        for line in self.LINES:
            os.write(terminal, line.replace("_", "\t").encode())
            os.write(terminal, b"\n")
            got[line] = re.findall("GOT<(.*?)>", read_until(r"\n((?:GOT<[^\n]*?>)+)DONE.*?READY")[1])
        os.write(terminal, b"exit\n")
        os.waitpid(process, 0)
        os.close(terminal)
        self.assertFalse((self.work / "pwned").exists())
        return got

    @unittest.skipUnless(shutil.which("bash"), "bash is not installed")
    def test_bash(self):
        self.assertEqual(self.type_into(["bash", "--norc", "--noprofile", "-i"], f"source {FILES}/aimlvideo.bash"), self.LINES)

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh(self):
        setup = (f"fpath=({FILES} $fpath); autoload -Uz compinit; compinit -u -D; "
                 "zstyle ':completion:*' insert-tab false; unsetopt prompt_sp auto_remove_slash")
        self.assertEqual(self.type_into(["zsh", "-f", "-i"], setup), self.LINES)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        for line, got in self.LINES.items():
            typed = line.rstrip("_")
            run = subprocess.run(["fish", "--no-config", "-c", f"source {FILES}/aimlvideo.fish; complete -C {shlex.quote(typed)}"],
                                 env=self.environment, cwd=self.work, capture_output=True, text=True)
            self.assertEqual((run.returncode, run.stderr), (0, ""))
            expected = [] if line == "aimlvideo generate cli_" else got[-1:]
            self.assertEqual([offered.partition("\t")[0] for offered in run.stdout.splitlines()], expected, line)
        self.assertFalse((self.work / "pwned").exists())


if __name__ == "__main__":
    main()
