"""What native code prints: caught, once for many turns, and nobody else's words lost."""

import subprocess
import sys

TURNS = """
import os, sys
from convtool.images.codecs.stderr import caught, diverted, is_diverted

texts = []
with diverted():
    assert is_diverted()
    for word in (b"one\\nmore", b"", b"[ERROR:0@1.2] global a.cpp:3 f two"):
        with caught() as printed:
            os.write(2, word)
        texts.append(printed.text)
    os.write(2, b"native in between\\n")
    print("python in between", file=sys.stderr)
    with caught() as printed:
        os.write(2, b"three")
    texts.append(printed.text)
    os.write(2, b"native at the end\\n")
assert not is_diverted()
os.write(2, b"native afterwards\\n")
print("python afterwards", file=sys.stderr)
print(texts)
"""


def test_turns_are_told_apart_and_other_words_are_passed_on():
    done = subprocess.run([sys.executable, "-c", TURNS], capture_output=True, text=True, check=True)
    assert done.stdout == "['one', '', 'two', 'three']\n"
    assert sorted(done.stderr.splitlines()) == [
        "native afterwards",
        "native at the end",
        "native in between",
        "python afterwards",
        "python in between",
    ]
