#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""How a Python program embeds aimlvideosrc: a prompt, with a picture if you like, becomes a file.

    embed.py --image=mona.jpg --output=mona.mp4 "Mona Lisa puts on glasses"

Needs PyGObject (Debian: python3-gi, gir1.2-gstreamer-1.0). The key is in AIMLAPI_KEY; AIMLAPI_BASE_URL names another
service, such as the emulator. Ctrl-C ends it at once. Nothing in here waits for the network.
"""

import argparse
import os
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

EXIT_TRY_AGAIN, EXIT_INTERRUPTED = 75, 130


class Maker:
    def __init__(self, prompt, image, output):
        self.output, self.unfinished = output, output + ".part"
        self.exit_code = 0
        self.loop = GLib.MainLoop()
        self.pipeline = Gst.parse_launch("aimlvideosrc name=source ! filesink name=sink")
        self.source = self.pipeline.get_by_name("source")
        self.source.set_property("prompt", prompt)
        self.source.set_property("image", image)
        self.pipeline.get_by_name("sink").set_property("location", self.unfinished)

    def run(self):
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        for name in ("progress", "element", "error", "eos"):
            bus.connect("message::" + name, getattr(self, "on_" + name))
        for number in (signal.SIGINT, signal.SIGTERM):
            GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, self.on_interrupt)
        # returns at once; it is PLAYING when the first bytes of the clip are here, minutes later
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        return self.exit_code

    def finish(self, exit_code):
        self.exit_code = exit_code
        self.pipeline.get_bus().remove_signal_watch()
        self.pipeline.set_state(Gst.State.NULL)  # at once, whatever the service does
        if exit_code and os.path.exists(self.unfinished):
            os.unlink(self.unfinished)
        self.loop.quit()

    # for people: what is happening, and how far it is
    def on_progress(self, _bus, message):
        text = message.parse_progress()[2]
        known, percent = message.get_structure().get_int("percent")
        print(f"{percent:3} %  {text}" if known else f"       {text}", flush=True)

    # for programs: the same in fields, at each change of state
    def on_element(self, _bus, message):
        generation = message.get_structure()
        if generation.get_name() != "aimlvideo-generation":
            return
        line = generation.get_value("status")
        if generation.has_field("generation-id"):
            line += ", generation " + generation.get_value("generation-id")
        if generation.has_field("eta"):
            line += f", {generation.get_value('eta') / Gst.SECOND:.0f} s left"
        if generation.has_field("usd-spent"):
            line += f", {generation.get_value('usd-spent'):.2f} USD"
        print(f"       [{line}]", flush=True)

    # There is one error. Its text says what failed, why, and what to do; the details are for programs.
    def on_error(self, _bus, message):
        error = message.parse_error()[0]
        details = message.parse_error_details()
        print(error.message, file=sys.stderr)
        for number in range(details.n_fields() if details else 0):
            name = details.nth_field_name(number)
            print(f"  {name}: {details.get_value(name)}", file=sys.stderr)
        kind = details.get_value("kind") if details else None
        self.finish(EXIT_TRY_AGAIN if kind in ("busy", "unreachable", "timed-out") else 1)

    def on_eos(self, _bus, _message):
        self.finish(0)
        os.replace(self.unfinished, self.output)
        print(self.output, "is there.")

    # what the service has accepted is paid for and continues there
    def on_interrupt(self):
        generation = self.source.get_property("current-generation-id")
        self.finish(EXIT_INTERRUPTED)
        remark = f"Generation {generation} continues at the service. " if generation else ""
        print(f"Stopped. {remark}The same command again resumes it, and nothing is bought twice.",
              file=sys.stderr)
        return GLib.SOURCE_CONTINUE


parser = argparse.ArgumentParser(description="A prompt becomes a file.")
parser.add_argument("prompt")
parser.add_argument("-i", "--image", metavar="IMAGE", help="the first frame, a path or a URL")
parser.add_argument("-o", "--output", metavar="FILE", default="clip.mp4", help="the file to make (clip.mp4)")
arguments = parser.parse_args()
Gst.init(None)
try:
    maker = Maker(arguments.prompt, arguments.image, arguments.output)
except GLib.Error as error:  # no such element: does GST_PLUGIN_PATH name the plugin's folder?
    sys.exit(error.message)
sys.exit(maker.run())
