"""Schedulers and workers as real processes: no success that is not there, and reasons in a line."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import dask
import numpy as np
import pytest
import tifffile
from clusters import RealCluster
from distributed.comm import CommClosedError
from faults.cluster_kills import VICTIMS, Campaign
from processes import ENVIRONMENT, finished

from convtool.cli import run
from convtool.distributed import connected, verification
from convtool.distributed.tls import refusal
from convtool.errors import ClusterError
from convtool.images.write import write
from convtool.work.journal import Stamp, stamp
from convtool.work.naming import Task
from convtool.work.worker import TaskResult

pytestmark = pytest.mark.cluster
GREY = np.arange(48, dtype=np.uint8).reshape(6, 8)
FILTER = ["filter", "-k", "identity"]


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    made = RealCluster(tmp_path_factory.mktemp("cluster"))
    made.scheduler()
    yield made
    made.close()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Pictures in a tree, a TIFF, and a folder that a worker may see differently."""
    monkeypatch.chdir(tmp_path)
    for place in ("in/deep", "private", "out"):
        Path(place).mkdir(parents=True)
    for name in ("in/a.png", "in/b.png", "in/deep/c.png", "private/d.png", "private/e.png"):
        write(name, GREY)
    tifffile.imwrite("in.tif", np.zeros((64, 64), np.uint8), tile=(16, 16))
    return tmp_path


@pytest.fixture
def worker(cluster):
    """Start a worker that ends with the test."""
    started = []

    def start(*options, **how):
        started.append(cluster.worker(*options, **how))

    yield start
    for one in started:
        one.kill()
        one.wait()


@pytest.fixture
def secluded(cluster, worker, folder):
    """A worker that has an empty file system of its own at ``private``."""
    tried = subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False, text=True)
    if tried.returncode:
        pytest.skip(f"no mount namespace can be made here: {tried.stderr.strip()}")
    mount = f'mount -t tmpfs none "{folder}/private" && exec "$@"'
    worker("--name", "alpha", within=["unshare", "-m", "sh", "-c", mount, "sh"])
    return cluster.address


def files(place):
    return sorted(path.name for path in Path(place).rglob("*") if path.is_file())


SECLUDED = {
    "outputs": (["in", "private/new"], "workers do not share {}/private/new: worker alpha (tcp:"),
    "below": (["-r", "in", "out"], "share out/deep: out/deep/c.png is not here as worker alpha ("),
    "inputs": (["private", "out"], " does not see {}/private/d.png as this machine does"),
    "blocks": (["in.tif", "private/x.tif"], "workers do not share {}/private: worker alpha (tcp:"),
}


def test_workers_that_do_not_share_the_files_are_named(secluded, folder, capsys):
    Path("out/deep").symlink_to("../private")
    for what, (places, words) in SECLUDED.items():
        for more in [[], ["--resume"]] if what == "outputs" else [[]]:
            assert run([*FILTER, *places, *more, "--scheduler", secluded]) == 1, what
            said = capsys.readouterr().err
            assert said.count("convtool: error: ") == 1
            assert words.format(folder) in said
            assert "mount one file system at this path" in said
            assert files("private/new") in ([], [".convtool-journal"])
    assert files("private") == [".convtool-journal", "d.png", "e.png"]


def test_what_a_worker_has_written_is_read_here(folder, monkeypatch):
    monkeypatch.setattr(verification, "_SECONDS_UNTIL_SEEN", 0)
    there = stamp("in/a.png")
    check = verification.Verification().check
    for target, expected, seen in [
        ("in/a.png", there, True),
        ("in/none.png", there, False),
        ("in/a.png", Stamp(there.size, there.time, "0" * 64), False),
        ("in/a.png", Stamp(there.size + 1, there.time, there.sha256), False),
    ]:
        results = [(Task("x.png", target), TaskResult(0, stamps=(there, expected)))]
        if seen:
            check(results, "alpha")
        else:
            with pytest.raises(ClusterError, match=f"{target} is not here as worker alpha"):
                check(results, "alpha")


PRETENDED = """
import importlib.metadata as metadata
real = metadata.version
metadata.version = lambda name: "{numpy}" if name == "numpy" else real(name)
import convtool._version
convtool._version.__version__ = "{convtool}"
"""
VERSIONS = {
    "numpy": (np.__version__ + ".post9", None, 0),
    "an old numpy": ("1.0", None, 1),
    "convtool": (np.__version__, "0.0.1", 1),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_a_worker_with_another_version_is_named(cluster, worker, folder, capsys, case):
    from convtool import __version__

    numpy, convtool, code = VERSIONS[case]
    Path("site").mkdir()
    text = PRETENDED.format(numpy=numpy, convtool=convtool or __version__)
    Path("site/sitecustomize.py").write_text(text)
    places = os.pathsep.join([str(folder / "site"), ENVIRONMENT["PYTHONPATH"]])
    worker("--name", "beta", PYTHONPATH=places)
    line = [*FILTER, "in", "out", "--scheduler", cluster.address]
    assert run(line) == code
    said = capsys.readouterr().err
    mine = __version__ if convtool else np.__version__
    name = "convtool" if convtool else "numpy"
    assert "beta (tcp://127.0.0.1:" in said
    assert f"has {name} {convtool or numpy}, not {mine} as this machine" in said
    assert said.count("\n") == 2
    assert files("out") == ([] if code else ["a.png", "b.png"])
    if case == "numpy":
        assert "Mismatched versions" not in said
        done = finished(*line, "--verbose")
        assert b"Mismatched versions" in done.stderr


@pytest.fixture(scope="module")
def certificates(tmp_path_factory):
    """Two authorities; return Dask's variables with a certificate of each."""
    trustme = pytest.importorskip("trustme", reason="trustme makes the certificates of this test")
    place = tmp_path_factory.mktemp("certificates")

    def made(name):
        authority = trustme.CA()
        issued = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(place / f"{name}-ca.pem")
        issued.private_key_and_cert_chain_pem.write_to_path(place / f"{name}.pem")
        prefix = "DASK_DISTRIBUTED__COMM__TLS__"
        roles = ("CLIENT", "SCHEDULER", "WORKER")
        own = {f"{prefix}{role}__{what}": f"{place}/{name}.pem" for role in roles
               for what in ("KEY", "CERT")}  # fmt: skip
        return own | {f"{prefix}CA_FILE": f"{place}/{name}-ca.pem"}

    return made("ours"), made("others")


CONFIG = """
distributed:
  comm:
    tls:
      ca-file: {DASK_DISTRIBUTED__COMM__TLS__CA_FILE}
      client:
        key: {DASK_DISTRIBUTED__COMM__TLS__CLIENT__KEY}
        cert: {DASK_DISTRIBUTED__COMM__TLS__CLIENT__CERT}
"""


def key_of(variable):
    """Return the key in Dask's configuration that a variable sets."""
    return variable.removeprefix("DASK_").lower().replace("__", ".")


def test_tls_as_dask_is_configured(cluster, certificates, folder, monkeypatch):
    ours, others = certificates
    mixed = ours | {name: file for name, file in others.items() if "CLIENT" in name}
    gone = {name: file + "x" for name, file in ours.items()}
    Path("dask.yaml").write_text(CONFIG.format(**ours))
    secure = RealCluster(folder / "secure", **ours)
    try:
        secure.scheduler("--protocol", "tls")
        secure.worker()
        address = secure.address
        assert address.startswith("tls://")
        for settings in (ours, {"DASK_CONFIG": f"{folder}/dask.yaml"}):
            monkeypatch.setattr("processes.ENVIRONMENT", ENVIRONMENT | settings)
            shutil.rmtree("out")
            done = finished(*FILTER, "in", "out", "--scheduler", address)
            assert done.returncode == 0, done.stderr
            assert files("out") == ["a.png", "b.png"]
        for at, settings, words in [
            (address, {}, "Dask's configuration names no certificates; set DASK_DISTRIBUTED__"),
            (address, others, "the scheduler's certificate is refused: self-signed certificate"),
            (address, mixed, "the TLS handshake fails ("),
            (address, gone, "-ca.pemx: there is no such file"),
            (address.replace("tls", "tcp"), ours, "no Dask scheduler answers within 8 s; is it"),
            (cluster.address.replace("tcp", "tls"), ours, "the scheduler does not speak TLS"),
        ]:
            with (
                dask.config.set({key_of(name): file for name, file in settings.items()}),
                pytest.raises(ClusterError, match=f"{at}: .*{re.escape(words)}") as refused,
                connected(at),
            ):
                pass
            assert "\n" not in str(refused.value)
    finally:
        secure.close()


def test_a_connection_that_a_tls_scheduler_closes_is_a_refusal():
    """In TLS 1.3 our half of the handshake is done before it refuses our certificate."""
    error = CommClosedError("in <TLS (closed)>: ConnectionResetError")
    said = refusal("tls://10.0.0.5:8786", error)
    assert said.startswith("the TLS handshake fails (the scheduler closes the connection)")
    assert refusal("tcp://10.0.0.5:8786", error) is None


def test_kills_at_random_moments(tmp_path, monkeypatch):
    """A few of the moments of ``cluster_kills.py``, each victim once."""
    monkeypatch.chdir(tmp_path)
    campaign = Campaign(3, pictures=8, size=160)
    try:
        for victim, name in zip(VICTIMS, ("zarr", "pictures", "tiff", "pictures"), strict=True):
            assert campaign.moment(victim, name)["faults"] == []
    finally:
        campaign.close()
