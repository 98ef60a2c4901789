"""Names that are no regular files, names that are odd, and what comes over standard input."""

import os

from corpus.case import Registry
from corpus.make import png
from corpus.picture import pattern

cases = Registry("place")

TRUTH = pattern(3)
WHOLE = png.png(TRUTH)
NOT_REGULAR = "not a regular file"


def under(name):
    """Write the file under a name and give that name."""

    def place(folder, data):
        with open(os.path.join(os.fsencode(folder), os.fsencode(name)), "wb") as file:
            file.write(data)
        return [name]

    return place


def nothing(*arguments):
    """Write nothing and give these arguments."""
    return lambda folder, data: list(arguments)


def folder_named_png(folder, data):
    (folder / "folder.png").mkdir()
    return ["folder.png"]


def pipe(folder, data):
    os.mkfifo(folder / "pipe.png")
    return ["pipe.png"]


def link_to(target):
    """Make a symbolic link."""

    def place(folder, data):
        (folder / "picture").write_bytes(data)
        (folder / "link.png").symlink_to(target)
        return ["link.png"]

    return place


def sparse(folder, data):
    """Make a file of a whole picture and a hundred gigabytes of nothing."""
    with open(folder / "sparse.png", "wb") as file:
        file.write(data)
        file.truncate(100 << 30)
    return ["sparse.png"]


def deep(folder, data):
    """Put the file where the whole path has more than 255 bytes."""
    place = folder
    for _ in range(9):
        place /= "d" * 50
    place.mkdir(parents=True)
    (place / "picture").write_bytes(data)
    return [str((place / "picture").relative_to(folder))]


for name, place in (
    ("plain", under("picture")),
    ("spaces-and-umlauts", under("schöne Grüße 📷.png")),
    ("not-utf-8", under(b"caf\xe9 \xff.png")),
    ("line-break", under("two\nlines.png")),
    ("escape-sequence", under("\x1b[31mred\x1b[0m.png")),
    ("percent-and-braces", under("%s{0}$HOME`id`.png")),
    ("255-bytes", under("n" * 251 + ".png")),
    ("beginning-with-a-dash", lambda folder, data: ["--", *under("-k.png")(folder, data)]),
    ("like-a-member-of-an-archive", under("a.zip#picture.png")),
    ("in-deep-folders", deep),
    ("wrong-ending", under("picture.jpg")),
    ("link", link_to("picture")),
):
    cases.shows(name, WHOLE, TRUTH, place=place)
cases.refused("sparse-hundred-gigabytes", WHOLE, "memory|large|limit", place=sparse)

for name, place, words in (
    ("missing", nothing("nothing.png"), "no such file"),
    ("missing-not-utf-8", nothing(b"caf\xe9 \xff.png"), "no such file"),
    ("missing-with-a-line-break", nothing("two\nlines.png"), "no such file"),
    ("missing-with-an-escape-sequence", nothing("\x1b[31mred.png"), "no such file"),
    ("missing-folder", nothing("no/such/folder/picture.png"), "no such file"),
    ("256-bytes", nothing("n" * 252 + ".png"), "too long"),
    ("5000-bytes", nothing("long/" * 1000 + "p.png"), "too long"),
    ("empty-name", nothing(""), "no such file|empty"),
    ("url", nothing("http://127.0.0.1:9/picture.png"), "cannot be read: Cannot connect"),
    ("file-url", nothing("file:///etc/hostname"), "is of no format"),
    ("data-url", nothing("data:image/png;base64,iVBORw0KGgo="), "no such file"),
    ("inside-a-file", nothing("/etc/hostname/picture.png"), "[Nn]ot a directory|no such file"),
    ("pipe", pipe, NOT_REGULAR),
    ("dev-zero", nothing("/dev/zero"), NOT_REGULAR),
    ("dev-random", nothing("/dev/urandom"), NOT_REGULAR),
    ("dev-null", nothing("/dev/null"), NOT_REGULAR),
    ("dev-stdin", nothing("/dev/stdin"), NOT_REGULAR),
    ("link-to-nothing", link_to("nowhere"), "no such file"),
    ("link-to-itself", link_to("link.png"), "[Tt]oo many|loop"),
    ("link-to-dev-zero", link_to("/dev/zero"), NOT_REGULAR),
    ("own-memory", nothing("/proc/self/mem"), "cannot be read|no format"),
):
    cases.refused(name, WHOLE, words, place=place)
cases.refused("folder", WHOLE, "is a folder", place=folder_named_png)

STANDARD_INPUT = nothing("-")
cases.shows("stdin", WHOLE, TRUTH, place=STANDARD_INPUT, stdin=True)
for name, data, words in (
    ("stdin-empty", b"", "is empty"),
    ("stdin-cut", WHOLE[:60], "cut off"),
    ("stdin-text", b"hello\n", "no format"),
):
    cases.refused(name, data, words, place=STANDARD_INPUT, stdin=True)
cases.refused("stdin-endless-zeros", b"", "no format", place=STANDARD_INPUT, stdin="/dev/zero")
