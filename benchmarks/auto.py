"""The planner's choice against each engine: how often, and how far, it misses the fastest.

Run ``python benchmarks/auto.py``; it takes the options of ``peers.py``.
"""

import sys

from suites.command import main
from suites.duels import run_auto

if __name__ == "__main__":
    sys.exit(main("auto", run_auto, __doc__))
