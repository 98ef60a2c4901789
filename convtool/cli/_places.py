"""The options of a batch, and the test whether paths on the command line form a batch."""

import os
from collections.abc import Sequence

from convtool.cli._cluster_options import Cluster
from convtool.records import Record
from convtool.work.inputs import is_pattern, looks_like_picture


class Batch(Record):
    """The options of a batch, besides those for each picture."""

    recursive: bool = False
    from_file: str | None = None
    suffix: str = ""
    jobs: int | None = None
    fail_fast: bool = False
    journal: str | None = None
    timeout: float | None = None
    json_target: str | None = None
    dry_run: bool = False
    resume: bool = False
    no_clobber: bool = False
    cluster: Cluster = Cluster()


def is_batch(places: Sequence[str], target: str, batch: Batch) -> bool:
    """Return whether paths on the command line form a batch."""
    if len(places) != 1 or batch.from_file is not None or target.endswith(os.sep):
        return True
    if looks_like_picture(target):
        return False
    return any(map(os.path.isdir, (*places, target))) or is_pattern(places[0])
