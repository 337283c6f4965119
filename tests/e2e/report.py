#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""The report of `aimlvideo batch`, in a real browser and as text.

    report.py               skips what needs chromium, or axe of scripts/install-axe.sh, where they are missing
    report.py --browser     fails there
Leaves screenshots in $AIMLVIDEO_SCREENSHOTS, where that is set."""

import csv
import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import unittest
import urllib.request

from support import BUILD, IMAGE, KEY, SOURCE, Emulator

sys.path.insert(0, str(SOURCE / "tests/emulator"))
from browser import Browser  # noqa: E402

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
AXE = BUILD / "axe/node_modules/axe-core/axe.min.js"
CLIP = BUILD / "tests/clips/faststart.mp4"
PRICE = 0.455
EVIL = "<script>document.title = 'hacked'</script><img src=x onerror=\"document.title = 'hacked'\"> {{script}} & \"'"
LONG = "https://example.com/" + "a" * 300
REFUSED = "Your prompt was flagged: <b>violence</b>"
WIDTHS = (360, 768, 1280, 2560, 3840)
needs_browser = unittest.skipUnless(shutil.which("chromium") or "--browser" in sys.argv,
                                    "chromium is not installed; scripts/packages.txt has it")

# The smallest contrast between a text and what Chromium says is behind it, as WCAG 2 defines it; and where it is.
CONTRAST = """(texts => {
  const channels = colour => {
    const context = Object.assign(new OffscreenCanvas(1, 1)).getContext("2d");
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = colour => channels(colour).map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
  return texts.map(([text, colour, behind]) => {
    const [dark, light] = [luminance(colour), luminance(behind)].sort((one, other) => one - other);
    return [(light + 0.05) / (dark + 0.05), text];
  }).sort((one, other) => one[0] - other[0])[0];
})"""
TEXTS = """[...document.querySelectorAll("body *")].filter(element => element.checkVisibility({visibilityProperty: true})
  && !["SCRIPT", "OPTION"].includes(element.tagName)
  && ([...element.childNodes].some(node => node.nodeType === 3 && node.data.trim()) || ["INPUT", "SELECT"].includes(element.tagName)))"""


class Scene:
    """A folder with a manifest, its clips and its report, made by two runs."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.emulator = Emulator("--clip", str(CLIP), "--log-delay", "0")
        shutil.copy(IMAGE, self.folder / "lighthouse.jpg")
        (self.folder / "clips").mkdir()
        self.fault({"phase": "create", "nth": 3}, "moderation", message=REFUSED)
        self.write([
            {"prompt": "A paper boat", "output": "clips/boat.mp4"}, {"prompt": EVIL, "output": "clips/a \"b\" & <i> #1?%.mp4"},
            {"prompt": "Forbidden", "output": "clips/forbidden.mp4"}, {"prompt": LONG, "output": "clips/long.webm", "profile": "webm"},
            {"prompt": "For the editor", "output": "clips/master.mov", "profile": "prores"},
            {"prompt": "A still", "output": "clips/still.jpg", "profile": "poster"},
            {"prompt": "To be served", "output": "clips/stream", "profile": "hls"}, {"prompt": "Too much", "output": "clips/more.mp4"},
            {"prompt": "A still", "output": "clips/still.mp4"}])  # the same generation
        self.first = self.run("--jobs", "1", "--max-cost", str(6 * PRICE), code=1)
        self.first_rows = self.rows()
        self.first_page = self.page()
        self.fault({"phase": "create"}, "status", status=401)
        self.second = self.run("--max-cost", "0.1", "--proxy", "", "--user-agent",
                               "see https://user:topsecret@example.com/a?signature=topsecret", code=1)

    def close(self):
        self.emulator.stop()
        self.temporary.cleanup()

    def fault(self, match, kind, **settings):
        rule = {"match": match, "fault": {"kind": kind, **settings}}
        urllib.request.urlopen(self.emulator.url + "/emulator/faults", json.dumps(rule).encode()).close()

    def write(self, rows):
        with open(self.folder / "clips.csv", "w", newline="") as file:
            writer = csv.DictWriter(file, ("prompt", "output", "profile"))
            writer.writeheader()
            writer.writerows(rows)

    def run(self, *arguments, code):
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url,
                           XDG_STATE_HOME=str(self.folder / "state"), XDG_CACHE_HOME=str(self.folder / "cache"))
        run = subprocess.run([COMMAND, "batch", "clips.csv", "--report", "report", *arguments], cwd=self.folder,
                             env=environment, capture_output=True, text=True)
        if run.returncode != code:
            raise AssertionError(f"{run.returncode}: {run.stdout}{run.stderr}")
        return run

    def rows(self):
        with open(self.folder / "report/report.csv", newline="") as file:
            return list(csv.DictReader(file))

    def page(self):
        return (self.folder / "report/index.html").read_text()


scene = None


def setUpModule():
    global scene
    scene = Scene()
    unittest.addModuleCleanup(scene.close)


class Text(unittest.TestCase):
    def test_what_earlier_runs_knew_stays(self):
        now = scene.rows()
        made = [(before, after) for before, after in zip(scene.first_rows, now) if before["state"] == "made"]
        self.assertEqual(len(made), 7)
        for before, after in made:
            for name in ("generation_id", "model", "prompt", "seconds", "usd_generation"):
                self.assertEqual(after[name], before[name], (after["output"], name))
        boat = now[0]
        self.assertEqual((boat["state"], float(boat["usd_spent"]), float(boat["usd_generation"])), ("made-before", 0, PRICE))
        self.assertGreater(float(boat["seconds"]), 0)
        self.assertIn(f"<b>{6 * PRICE:g} USD</b> with earlier runs", scene.page())
        self.assertIn(f"<b>{6 * PRICE:g} USD</b> this run, for 6 bought", scene.first_page)

    def test_why_a_row_failed_stays_when_the_next_run_leaves_it_out(self):
        with Folder() as folder:
            folder.fault({"phase": "create", "nth": 1}, "failure", message="no luck")
            folder.write([{"prompt": "a", "output": "clips/a.mp4"}])
            folder.run(code=1)
            folder.run("--max-cost", "0.1", code=9)
            folder.run("--max-cost", "0.1", code=9)
            self.assertIn("no luck", folder.rows()[0]["error"])
            self.assertIn("An earlier run said: ", folder.page())
            self.assertIn("no luck", folder.page())

    def test_what_a_clip_cost_is_known_from_the_ledger_or_the_earlier_report(self):
        with Folder() as folder:
            folder.write([{"prompt": "a", "output": "clips/a.mp4"}])
            for lost, price in (("nothing", str(PRICE)), ("report", str(PRICE)), ("state", str(PRICE)), ("report", "")):
                shutil.rmtree(folder.folder / lost, ignore_errors=True)
                folder.run(code=0)
                self.assertEqual(folder.rows()[0]["usd_generation"], price, f"without {lost}")

    def test_the_command_is_there_without_what_is_secret(self):
        page = scene.page()
        self.assertIn("aimlvideo batch clips.csv --report report --max-cost 0.1", page)
        self.assertIn("see https://example.com/a", page)
        for secret in ("topsecret", KEY):
            self.assertNotIn(secret, page)

    def test_a_report_of_an_older_version_or_of_nobody_is_no_obstacle(self):
        with Folder() as folder:
            (folder.folder / "report").mkdir()
            for text in (b"row,output\r\n2,clips/a.mp4\r\n", b'"', b"", b"\xff\x00"):
                (folder.folder / "report/report.csv").write_bytes(text)
                folder.write([{"prompt": "a", "output": "clips/a.mp4"}])
                folder.run(code=0)
                self.assertEqual([row["output"] for row in folder.rows()], ["clips/a.mp4"])


class Folder(Scene):
    """A folder of a test's own, with nothing in it yet."""

    def __init__(self):
        self.temporary = tempfile.TemporaryDirectory()
        self.folder = pathlib.Path(self.temporary.name)
        self.emulator = Emulator("--clip", str(CLIP), "--log-delay", "0")
        (self.folder / "clips").mkdir()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Window(Browser):
    """A browser that notes what a page fetches, and where it goes."""

    def __init__(self):
        self.fetched = []
        super().__init__()
        self.ask("Network.enable")
        self.ask("DOM.enable")
        self.ask("CSS.enable")

    def receive(self):
        message = super().receive()
        if message.get("method") == "Network.requestWillBeSent":
            self.fetched.append(message["params"]["request"]["url"])
        return message

    def size(self, width, height=1000):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)

    def media(self, scheme="light", kind=""):
        self.ask("Emulation.setEmulatedMedia", media=kind, features=[{"name": "prefers-color-scheme", "value": scheme},
                                                                     {"name": "hover", "value": "hover"}])

    def key(self, name, code, text=""):
        for kind in ("keyDown", "keyUp"):
            self.ask("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=code,
                     **({"text": text} if text and kind == "keyDown" else {}))

    def backgrounds(self, expression):
        """[text, colour, colour behind it] of each element of a JavaScript list."""
        self.run(f"globalThis.elements = {expression}")
        self.ask("DOM.getDocument", depth=0)  # without it no node has an id
        found = []
        for index in range(self.run("elements.length")):
            item = self.ask("Runtime.evaluate", expression=f"elements[{index}]")["result"]["objectId"]
            node = self.ask("DOM.requestNode", objectId=item)["nodeId"]
            behind = self.ask("CSS.getBackgroundColors", nodeId=node).get("backgroundColors") or []
            text, colour = self.run(f"[elements[{index}].outerHTML.slice(0, 80), getComputedStyle(elements[{index}]).color]")
            found += [[text, colour, each] for each in behind]
        return found


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@needs_browser
class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Window()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.show((scene.folder / "report/index.html").as_uri())

    def show(self, address):
        self.browser.media()
        self.browser.size(1280)
        self.browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
        self.browser.messages.clear()
        self.browser.fetched.clear()
        self.browser.open(address)
        self.browser.wait_until("document.readyState === 'complete' && !document.getElementById('bar').hidden", "the page")

    def of(self, prompt, inside=""):
        return f"[...document.querySelectorAll('.clip')].find(clip => clip.textContent.includes({json.dumps(prompt)}))" + (
            f".querySelector('{inside}')" if inside else "")

    def playing(self, inside):
        return f"document.querySelector('{inside} video')?.currentTime > 0.1"

    def test_nothing_is_wider_than_the_window(self):
        self.browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
        for width in WIDTHS:
            self.browser.size(width)
            for kind in ("screen", "print"):
                self.browser.media(kind=kind)
                self.assertLessEqual(self.browser.run("document.documentElement.scrollWidth"), width, kind)
                wide = self.browser.run(f"""[...document.querySelectorAll('body *')].filter(element => element.checkVisibility() &&
                    element.getBoundingClientRect().right > {width} + 1).map(element => element.outerHTML.slice(0, 80))""")
                self.assertEqual(wide, [])

    def test_texts_stand_out_from_what_is_behind_them(self):
        self.browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
        for scheme in ("light", "dark"):
            self.browser.media(scheme)
            texts = self.browser.backgrounds(TEXTS)
            self.assertGreater(len(texts), 100)
            least, where = self.browser.run(f"{CONTRAST}({json.dumps(texts)})")
            self.assertGreaterEqual(least, 4.5, f"{scheme}: {where}")

    @unittest.skipUnless(AXE.exists() or "--browser" in sys.argv, "axe is not there; scripts/install-axe.sh puts it there")
    def test_axe_finds_nothing_in_the_way_of_anybody(self):
        for scheme in ("light", "dark"):
            self.browser.media(scheme)
            self.browser.run("for (const details of document.querySelectorAll('details')) details.open = true")
            self.browser.run(AXE.read_text() + "; 0")
            found = self.browser.run("""axe.run().then(({violations, passes}) => [passes.length, violations.map(
                ({id, nodes}) => [id, nodes.map(node => node.html.slice(0, 200) + node.failureSummary)])])""")
            self.assertGreater(found[0], 20)
            self.assertEqual(found[1], [], scheme)

    def test_failures_come_first_and_say_why(self):
        self.assertEqual(self.browser.run("[...document.querySelectorAll('h2')].map(title => title.innerText)"),
                         ["Failed 1", "Not made 1", "Made 7"])
        first = self.browser.run("document.querySelector('.clip').innerText")
        for text in ("Forbidden", REFUSED, "Change the prompt or the image"):
            self.assertIn(text, first)
        self.assertTrue(self.browser.run(f"""[...document.querySelectorAll('.cause')].every(cause => cause.checkVisibility() &&
            cause.scrollHeight <= cause.clientHeight)"""))

    def test_a_prompt_is_text_and_nothing_else(self):
        self.browser.wait_until(self.of(EVIL), "the prompt")
        self.browser.run(self.of(EVIL, "details") + ".open = true")
        self.assertEqual(self.browser.run("document.title"), "clips.csv")
        self.assertEqual(self.browser.run("[[...document.scripts].filter(script => script.type === '').length, document.querySelectorAll('.clip b, i').length]"), [1, 2])
        self.assertEqual(self.browser.messages, [])

    def test_no_script_but_its_own_runs(self):
        self.browser.run("""document.body.insertAdjacentHTML('beforeend', '<img src=x onerror="document.title = 1">');
            document.body.append(Object.assign(document.createElement('script'), {textContent: 'document.title = 2'}))""")
        self.browser.wait_until("new Promise(done => setTimeout(() => done(true), 200))", "a moment")
        self.assertEqual(self.browser.run("document.title"), "clips.csv")
        self.assertEqual(self.browser.run(f"""fetch('{scene.emulator.url}/emulator/report', {{mode: 'no-cors'}})
            .then(() => 'sent', () => 'refused')"""), "refused")

    def test_nothing_is_fetched_until_something_plays(self):
        self.browser.run("window.scrollTo(0, document.body.scrollHeight)")
        own = scene.folder.as_uri() + "/report/index.html"
        self.assertEqual([url for url in self.browser.fetched if not url.startswith("data:")], [own])
        self.assertTrue(self.browser.run(self.of("A paper boat", "img") + ".naturalWidth > 100"))

    def test_the_pointer_on_a_poster_plays_it_and_takes_its_end(self):
        self.browser.run(self.of("A paper boat", ".poster") + ".scrollIntoView({block: 'center'})")
        x, y = self.browser.run(f"""(box => [box.x + box.width / 2, box.y + box.height / 2])(
            {self.of("A paper boat", ".poster")}.getBoundingClientRect())""")
        self.browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        self.browser.wait_until(self.playing(".poster"), "the clip playing")
        self.assertTrue(self.browser.run("document.querySelector('.poster video').muted"))
        self.browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=0, y=0)
        self.browser.wait_until("!document.querySelector('.poster video')", "its end")
        self.assertEqual(self.browser.messages, [])

    def test_the_keyboard_reaches_a_clip_plays_it_and_goes_on(self):
        for _ in range(40):
            self.browser.key("Tab", 9)
            if self.browser.run("document.activeElement.matches('.poster')"):
                break
        self.assertTrue(self.browser.run("document.activeElement.matches('.poster:focus-visible')"))
        self.browser.wait_until(self.playing(".poster"), "the preview")
        self.browser.key("Enter", 13, "\r")
        self.browser.wait_until(self.playing("#player[open]"), "the clip in the player")
        self.assertFalse(self.browser.run("document.querySelector('#player video').muted"))
        self.assertEqual(self.browser.run("document.getElementById('caption').innerText"), "A paper boat")
        self.assertIsNone(self.browser.run("document.querySelector('.poster video')"))
        self.browser.key("PageDown", 34)
        self.browser.wait_until(f"document.getElementById('caption').textContent === {json.dumps(EVIL)}", "the next one")
        self.browser.wait_until(self.playing("#player[open]"), "a name that needs escaping, playing")
        self.browser.key("Escape", 27)
        self.browser.wait_until("!document.getElementById('player').open", "the end")
        self.browser.wait_until(f"document.activeElement === {self.of(EVIL, '.poster')}", "the focus on the last clip")
        self.browser.wait_until("!document.querySelector('#player video')", "the end of the clip")
        self.assertEqual(self.browser.messages, [])

    def test_what_a_browser_can_not_play_says_so_and_is_linked(self):
        self.browser.run(self.of("For the editor", ".poster") + ".click()")
        self.browser.wait_until("document.getElementById('screen').innerText.includes(\"can't show clips/master.mov\")", "the words")
        self.assertEqual(self.browser.run("document.getElementById('file').href"), (scene.folder / "clips/master.mov").as_uri())
        # one is closed and another one opened before the browser has told of it
        self.browser.run("document.getElementById('close').click(); " + self.of("A still", ".poster") + ".click()")
        self.browser.wait_until("document.querySelector('#screen img')?.naturalWidth > 100", "the picture")

    def test_every_link_leads_to_its_output(self):
        links = self.browser.run("[...document.querySelectorAll('.poster')].map(link => [link.dataset.name, link.href])")
        self.assertEqual(len(links), 7)
        for name, address in links:
            self.assertEqual(address, (scene.folder / name).as_uri())
            self.assertTrue((scene.folder / name).exists(), name)

    def test_moved_together_and_served_it_plays_as_well(self):
        with tempfile.TemporaryDirectory() as elsewhere:
            for name in ("report", "clips"):
                shutil.copytree(scene.folder / name, pathlib.Path(elsewhere, name))
            with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=elsewhere)) as server:
                threading.Thread(target=server.serve_forever).start()
                self.addCleanup(server.shutdown)
                self.show(f"http://127.0.0.1:{server.server_port}/report/index.html")
                self.browser.run(self.of(EVIL, ".poster") + ".click()")
                self.browser.wait_until(self.playing("#player[open]"), "the clip")
                self.browser.open("about:blank")
                server.shutdown()

    def test_words_and_states_narrow_it_down(self):
        def look_for(words):
            self.browser.run(f"document.getElementById('words').value = {json.dumps(words)}; "
                             "document.getElementById('words').dispatchEvent(new Event('input'))")
            return self.browser.run("[...document.querySelectorAll('.clip:not([hidden]) .prompt')].map(prompt => prompt.textContent)")
        self.assertEqual(look_for("BOAT paper"), ["A paper boat"])
        self.assertEqual(look_for("flagged"), ["Forbidden"])
        self.assertEqual(look_for("master.mov"), ["For the editor"])
        self.assertEqual(self.browser.run("document.getElementById('shown').innerText"), "1 of 9")
        self.assertEqual(look_for("no such words"), [])
        self.assertTrue(self.browser.run("document.getElementById('nothing').checkVisibility()"))
        self.assertEqual(len(look_for("")), 9)
        self.browser.run("document.querySelector('button[data-group=left]').click()")
        self.assertEqual(look_for(""), ["Too much"])

    def test_without_its_script_it_shows_all_and_links(self):
        self.browser.ask("Emulation.setScriptExecutionDisabled", value=True)
        self.addCleanup(self.browser.ask, "Emulation.setScriptExecutionDisabled", value=False)
        self.browser.open((scene.folder / "report/index.html").as_uri())
        self.browser.wait_until("document.querySelectorAll('.clip').length === 9", "the clips")
        self.assertFalse(self.browser.run("document.getElementById('bar').checkVisibility()"))

    def test_screenshots(self):
        folder = os.environ.get("AIMLVIDEO_SCREENSHOTS")
        with tempfile.TemporaryDirectory() as scrap:
            for width in WIDTHS:
                for scheme in ("light", "dark"):
                    self.browser.media(scheme)
                    self.browser.size(width)
                    path = pathlib.Path(folder or scrap, f"report-{width}-{scheme}.png")
                    self.browser.screenshot(path)
                    self.assertGreater(path.stat().st_size, 20_000)


@unittest.skipUnless("--browser" in sys.argv, "takes a minute; --browser runs it")
class Pictures(unittest.TestCase):
    def test_the_pictures_of_the_documents_can_be_made_anew(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([SOURCE / "scripts/make_pictures.py", "--to", folder], check=True,
                           env=os.environ | {"BUILD": str(BUILD)})
            made = {path.name: path.stat().st_size for path in pathlib.Path(folder).iterdir()}
            names = {path.name for path in (SOURCE / "docs/pictures").iterdir()}
            self.assertEqual(set(made), names | {"terminal.txt"})
            self.assertLess(sum(made.values()), 300_000)
            terminal = pathlib.Path(folder, "terminal.txt").read_text()
            for pattern in (r"^\$ aimlvideo batch", r"bought, 0\.455 USD", "FAILED: the service refused", "generating"):
                self.assertRegex(terminal, re.compile(pattern, re.MULTILINE))


if __name__ == "__main__":
    arguments = [argument for argument in sys.argv[1:] if argument != "--browser"]
    unittest.main(argv=[sys.argv[0], "-v", *arguments])
