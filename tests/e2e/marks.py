# SPDX-License-Identifier: LGPL-2.1-or-later
"""What is delivered: the bytes of the service, and behind them a mark. Read without any of the project's code."""

import struct
import uuid
import xml.etree.ElementTree

XMP = uuid.UUID("BE7ACFCB-97A9-42E8-9C71-999491E3AFAC").bytes
KINDS = {"http://cv.iptc.org/newscodes/digitalsourcetype/" + kind
         for kind in ("trainedAlgorithmicMedia", "compositeWithTrainedAlgorithmicMedia")}
DESCRIPTION = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}Description"
SOURCE_TYPE = "{http://iptc.org/std/Iptc4xmpExt/2008-02-29/}DigitalSourceType"


def boxes(content):
    """(type, start, contents) of each box of a file; an error where one does not fit."""
    at = 0
    while at < len(content):
        size, name = struct.unpack_from(">I4s", content, at)
        head = 8
        if size == 1:
            size, head = struct.unpack_from(">Q", content, at + 8)[0], 16
        assert head <= size <= len(content) - at, f"the box {name} at {at} does not fit"
        yield name, at, content[at + head:at + size]
        at += size


def kind_in(packet):
    """What an XMP packet says of the origin; None: nothing."""
    for description in xml.etree.ElementTree.fromstring(packet).iter(DESCRIPTION):
        if SOURCE_TYPE in description.attrib:
            return description.attrib[SOURCE_TYPE]
        if (element := description.find(SOURCE_TYPE)) is not None:
            return element.text
    return None


def packet_of(content):
    """The XMP packet behind all else."""
    name, _, contents = list(boxes(content))[-1]
    assert name == b"uuid" and contents[:16] == XMP, f"the last box is {name}"
    return contents[16:]


def delivers(content, clip):
    """Whether a clip was delivered: its bytes, then a mark and nothing else. One that ends in an index has none."""
    if list(boxes(clip))[-1][0] == b"mfra":
        return content == clip
    if not content.startswith(clip) or content == clip:
        return False
    mark = content[len(clip):]
    return len(list(boxes(mark))) == 1 and kind_in(packet_of(mark)) in KINDS
