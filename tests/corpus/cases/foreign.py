"""What is no picture that convtool reads, whatever its name says."""

import gzip
import io
import struct
import tarfile
import zipfile

from corpus.case import Registry
from corpus.make import png
from corpus.make.bombs import zeros_deflated
from corpus.picture import pattern

cases = Registry("foreign")


def named(name):
    """Put a case's bytes under a name."""

    def place(folder, data):
        (folder / name).write_bytes(data)
        return [name]

    return place


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("picture.png", png.png(pattern(3)))
    return file.getvalue()


def tarred():
    file = io.BytesIO()
    data = png.png(pattern(3))
    with tarfile.open(fileobj=file, mode="w") as archive:
        member = tarfile.TarInfo("picture.png")
        member.size = len(data)
        archive.addfile(member, io.BytesIO(data))
    return file.getvalue()


SVG = b"""<?xml version="1.0"?>
<!DOCTYPE svg [<!ENTITY a "aaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>
<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><text>&b;</text></svg>
"""
UNKNOWN = r"of no format that convtool reads"

for name, data in (
    ("text", b"just some text\n" * 40),
    ("pdf", b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\n%%EOF\n"),
    ("eps", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n{} loop\n"),
    ("eps-with-a-preview", struct.pack("<IIIIIII", 0xC6D3D0C5, 32, 60, 0, 0, 0, 0) + b"%!PS" * 20),
    ("svg", SVG),
    ("zip", zipped()),
    ("tar", tarred()),
    ("gzip-of-a-picture", gzip.compress(png.png(pattern(3)), mtime=0)),
    ("gigabyte-of-zlib", zeros_deflated(1024)),
    ("html", b"<!DOCTYPE html><img src=http://127.0.0.1/x.png>"),
    ("elf", b"\x7fELF\2\1\1" + bytes(60)),
    ("shell-script", b"#!/bin/sh\necho here\n"),
    ("pickle", b"\x80\4\x95\x0b\0\0\0\0\0\0\0\x8c\2os\x94."),
    ("tga", b"\0\0\2\0\0\0\0\0\0\0\0\0\2\0\2\0\x18\0" + bytes(12)),
    ("wmf", b"\xd7\xcd\xc6\x9a" + bytes(60)),
    ("mng", b"\x8aMNG\r\n\x1a\n" + bytes(60)),
    ("byte-order-mark-and-png", b"\xef\xbb\xbf" + png.png(pattern(1))),
    ("png-through-a-text-mode", png.png(pattern(1)).replace(b"\r\n", b"\n")),
    ("zeros", bytes(5000)),
    ("escape-sequences", b"\x1b]0;owned\x07\x1b[2J" * 9),
    ("riff-of-sound", b"RIFF\x24\0\0\0WAVEfmt " + bytes(30)),
):
    cases.refused(name, data, UNKNOWN, place=named(f"{name}.png"))
for size in (1, 2, 3):
    cases.refused(f"{size}-bytes", b"\x89PN"[:size], UNKNOWN)
cases.refused("empty", b"", "is empty", place=named("empty.png"))
for name, data in (
    ("jp2-cut", b"\0\0\0\x0cjP  \r\n\x87\n\0\0\0\x14ftypjp2 \0\0\0\0jp2 "),
    ("jp2-of-garbage", b"\0\0\0\x0cjP  \r\n\x87\n" + b"\x55" * 90),
    ("j2k-cut", b"\xff\x4f\xff\x51\0\x2f\0\0" + bytes(8)),
    (
        "j2k-claims-100000-by-100000",
        b"\xff\x4f\xff\x51"
        + struct.pack(">HHIIIIIIIIH", 47, 0, *[100_000, 100_000, 0, 0] * 2, 3)
        + b"\7\1\1" * 3
        + b"\xff\x52\0\x0c\0\0\0\1\0\5\4\4\0\0\xff\x90\0\x0a\0\0\0\0\0\0\0\1\xff\x93",
    ),
):
    cases.refused(name, data, UNKNOWN + "|damaged|cut off|limit|not read")
