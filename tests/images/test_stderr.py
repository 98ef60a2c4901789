"""What native code prints: caught, once for many turns, and nobody else's words lost."""

import subprocess
import sys

TURNS = """
import os, sys
from convtool.images.codecs.stderr import caught, diverted

texts = []
with diverted():
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


ELSEWHERE = """
import os, sys
from convtool.convolution.threads import submit
from convtool.images.codecs.stderr import caught, diverted

def decode():
    with caught() as printed:
        os.write(2, b"native")
        go_on.wait()
        os.write(2, b" words")
    return printed.text

import threading
go_on = threading.Event()
with diverted(), submit(decode) as decoded:
    print("python meanwhile", file=sys.stderr)
    go_on.set()
    print(decoded())
print("python afterwards", file=sys.stderr)
"""


def test_what_python_says_while_another_thread_catches_is_not_caught():
    run = [sys.executable, "-c", ELSEWHERE]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    assert done.stdout == "native words\n"
    assert done.stderr == "python meanwhile\npython afterwards\n"
