"""How time grows with pixels and shrinks with threads, and how much memory the engines take.

Run ``python benchmarks/scaling.py``; it takes the options of ``convtool bench --suite scaling``.
The largest picture has 100 megapixels: 1 GB of memory has to be free.
"""

import sys

from convtool.cli import run

if __name__ == "__main__":
    sys.exit(run(["bench", "--suite", "scaling", *sys.argv[1:]]))
