"""The planner's choice against each engine: how often, and how far, it misses the fastest.

Run ``python benchmarks/auto.py``; it takes the options of ``convtool bench --suite auto``.
"""

import sys

from convtool.cli import run

if __name__ == "__main__":
    sys.exit(run(["bench", "--suite", "auto", *sys.argv[1:]]))
