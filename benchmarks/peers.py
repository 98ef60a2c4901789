"""Every work against its opponents: the ratios that the README quotes.

Run ``python benchmarks/peers.py``; options of ``convtool bench --suite peers`` narrow it down, as
in ``--works dense,box --sizes 1080x1920 --kernels 3,7``. The whole takes about a quarter of an
hour.
"""

import sys

from convtool.cli import run

if __name__ == "__main__":
    sys.exit(run(["bench", "--suite", "peers", *sys.argv[1:]]))
