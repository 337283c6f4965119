#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Signed with C2PA, and read by the library of the Content Authenticity Initiative: what a command of ours signs, and
clips that a service has signed. With --full."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

from support import BUILD, KEY, SOURCE, EndToEnd, main

COMMAND = os.environ["AIMLVIDEO_COMMAND"]
LIBRARY = BUILD / "c2pa"
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
READER = """
import { Reader } from '@contentauth/c2pa-node';
const reader = await Reader.fromAsset({ path: process.argv[2], mimeType: process.argv[3] });
console.log(JSON.stringify(reader ? reader.json() : null));
"""
CERTIFICATES = """set -e
openssl ecparam -name prime256v1 -genkey -noout -out ca.key
openssl req -x509 -new -key ca.key -sha256 -days 30 -subj '/CN=Test CA/O=Self-made' -out ca.pem \\
  -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign
openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out sign.key
openssl req -new -key sign.key -subj '/CN=Studio/O=Self-made' -out sign.csr
printf 'basicConstraints=critical,CA:FALSE\\nkeyUsage=critical,digitalSignature\\nextendedKeyUsage=emailProtection\\n\
subjectKeyIdentifier=hash\\nauthorityKeyIdentifier=keyid\\n' >extensions
openssl x509 -req -in sign.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -sha256 -extfile extensions -out sign.pem
cat sign.pem ca.pem >chain.pem
"""


class WithLibrary(EndToEnd):
    def setUp(self):
        super().setUp()
        subprocess.run(["sh", "-c", CERTIFICATES], cwd=self.folder, check=True, capture_output=True)
        # a module finds a library beside it
        shutil.copy(SOURCE / "examples/sign.mjs", LIBRARY)
        (LIBRARY / "read.mjs").write_text(READER)
        self.signer = f"node {LIBRARY}/sign.mjs {self.folder}/chain.pem {self.folder}/sign.key"

    def generate(self, name, *options):
        path = self.folder / name
        environment = dict(os.environ, AIMLAPI_KEY=KEY, AIMLAPI_BASE_URL=self.emulator.url, **self.home)
        run = subprocess.run([COMMAND, "generate", "a boat", "-o", path, *options], env=environment, capture_output=True, text=True,
                             timeout=120)
        self.assertEqual(run.returncode, 0, run.stderr)
        return path

    def read(self, path):
        """(what is wrong with the manifest, the manifest); no manifest: None"""
        kind = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".mov": "video/quicktime"}[path.suffix]
        run = subprocess.run(["node", LIBRARY / "read.mjs", path, kind], capture_output=True, text=True)
        self.assertEqual(run.returncode, 0, run.stderr)
        found = json.loads(run.stdout)
        if not found:
            return None
        return ({status["code"] for status in found.get("validation_status", [])}, found["manifests"][found["active_manifest"]])


class SignedHere(WithLibrary):
    def test_what_the_example_signs_is_valid_and_says_that_a_model_made_it(self):
        for name in ("clip.mp4", "poster.jpg", "edit.mov"):
            with self.subTest(name):
                path = self.generate(name, "--sign-with", self.signer)
                problems, manifest = self.read(path)
                self.assertEqual(problems, {"signingCredential.untrusted"})  # nobody knows this authority
                action = manifest["assertions"][[a["label"].startswith("c2pa.actions") for a in manifest["assertions"]].index(True)]
                action = action["data"]["actions"][0]
                self.assertEqual((action["action"], action["digitalSourceType"]), ("c2pa.created", GENERATED))
                self.assertEqual(manifest["signature_info"]["common_name"], "Studio")
                content = bytearray(path.read_bytes())
                content[content.index(b"mdat" if name != "poster.jpg" else b"\xff\xda") + 5000] ^= 1
                path.write_bytes(content)
                self.assertTrue({code for code in self.read(path)[0] if "mismatch" in code}, "a changed file passes")


class SignedByTheService(WithLibrary):
    def setUp(self):
        super().setUp()
        signed = pathlib.Path(shutil.copy(self.generate("signed.mp4", "--mark", "none", "--sign-with", self.signer), LIBRARY / "signed.mp4"))
        self.doCleanups()
        self.emulator_options = ("--clip", str(signed))
        super().setUp()
        self.clip = signed

    def test_it_is_delivered_as_it_is_and_stays_valid(self):
        path = self.generate("clip.mp4")
        self.assertEqual(path.read_bytes(), self.clip.read_bytes())
        self.assertEqual(self.read(path)[0], {"signingCredential.untrusted"})

    def test_what_is_signed_once_more_keeps_the_first_signature_as_its_parent(self):
        problems, manifest = self.read(self.generate("clip.mp4", "--sign-with", self.signer))
        self.assertEqual(problems, {"signingCredential.untrusted"})
        parent, = manifest["ingredients"]
        self.assertEqual(parent["relationship"], "parentOf")
        actions = [action["action"] for assertion in manifest["assertions"] if assertion["label"].startswith("c2pa.actions")
                   for action in assertion["data"]["actions"]]
        self.assertIn("c2pa.opened", actions)
        self.assertNotIn("c2pa.created", actions)

    def test_a_forced_mark_breaks_the_signature_as_the_document_says(self):
        problems, _ = self.read(self.generate("clip.mp4", "--mark", "force"))
        self.assertIn("assertion.bmffHash.mismatch", problems)


del EndToEnd, WithLibrary  # which are no tests
if __name__ == "__main__":
    if not (LIBRARY / "node_modules").exists():
        print("the C2PA library is not installed: scripts/install-c2pa.sh")
        sys.exit(77)
    main()
