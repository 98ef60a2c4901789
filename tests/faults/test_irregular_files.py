"""Each command with each file that it opens, where that is a FIFO, a device, a socket, a folder or
too long: one line at once, no output and little memory."""

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from processes import ENVIRONMENT

from convtool import nn
from convtool.images.write import write
from convtool.reading import LIMITS

CLASSES = ("a", "b")

COMMANDS = {
    "filter": (["filter", "-k", "box", "{}.png", "out.png"], "picture"),
    "filter tiff": (["filter", "-k", "box", "{}.tif", "out.png"], "picture"),
    "filter mask": (["filter", "-k", "box", "--mask", "{}.png", "in.png", "out.png"], "picture"),
    "filter list": (["filter", "-k", "box", "--files-from", "{}", "out/"], "list of files"),
    "filter journal": (
        ["filter", "-k", "box", "--journal", "{}", "in.png", "same.png", "out/"],
        "journal",
    ),
    "deconvolve": (["deconvolve", "-k", "box", "{}.png", "out.png"], "picture"),
    "deconvolve kernel": (["deconvolve", "-k", "{}.tif", "in.png", "out.png"], "picture"),
    "deconvolve reference": (
        ["deconvolve", "-k", "box", "--reference", "{}.png", "in.png", "out.png"],
        "picture",
    ),
    "kernels": (["kernels", "{}.json"], "kernel file"),
    "explain": (["explain", "--image", "{}.png"], "picture"),
    "explain kernel": (["explain", "-k", "{}.csv"], "kernel file"),
    "learn": (["learn", "{}.png", "in.png"], "picture"),
    "learn after": (["learn", "in.png", "{}.png"], "picture"),
    "learn kernel": (["learn", "-k", "{}.txt", "in.png", "same.png"], "kernel file"),
    "compare": (["compare", "{}.png", "in.png"], "picture"),
    "compare other": (["compare", "in.png", "{}.png"], "picture"),
    "info": (["info", "{}.png"], "picture"),
    "svd": (["svd", "{}.png", "--k", "1"], "picture"),
    "svd factors": (["svd", "{}.ctsvd", "-o", "out.png"], "ctsvd file"),
    "bench": (["bench", "--image", "{}.png"], "picture"),
    "bench compare": (["bench", "--quick", "--compare", "{}.json"], "report"),
    "show npz": (["show", "{}.npz"], "data set"),
    "show csv": (["show", "{}.csv.gz"], "data set"),
    "show mnist": (["show", "mnist", "--data", "{}.npz"], "data set"),
    "show idx": (["show", "idx:idx"], "data set"),
    "show idx labels": (["show", "idx:labels"], "data set"),
    "show cifar": (["show", "cifar10", "--data", "cifar"], "batch of CIFAR-10"),
    "show cifar python": (["show", "cifar10", "--data", "pickled"], "batch of CIFAR-10"),
    "train": (["train", "{}.arff", "--epochs", "1"], "data set"),
    "train filters": (["train", "digits", "--fixed-filters", "{}.npy"], "kernel file"),
    "train resume": (["train", "digits", "--resume", "--out", "{}.ct"], "model file"),
    "gridsearch": (["gridsearch", "{}.npz", "--grid", "lr=1,2"], "data set"),
    "evaluate": (["evaluate", "{}.safetensors", "digits"], "model file"),
    "evaluate set": (["evaluate", "model.safetensors", "{}.npz"], "data set"),
    "predict": (["predict", "{}.safetensors", "in.png"], "model file"),
    "predict onnx": (["predict", "{}.onnx", "in.png"], "model file"),
    "predict picture": (["predict", "model.safetensors", "{}.png"], "picture"),
    "inspect": (["inspect", "{}.safetensors"], "model file"),
    "inspect filter": (["inspect", "--probe", "--filter", "{}.npy"], "kernel file"),
    "inspect picture": (["inspect", "--saliency", "{}.png", "model.safetensors"], "picture"),
    "view": (["view", "{}.png"], "picture"),
    "view kernel": (["view", "in.png", "-k", "{}.csv"], "kernel file"),
    "export": (["export", "{}.safetensors", "out.onnx"], "model file"),
    "import": (["import", "{}.onnx", "out.ct"], "model file"),
}
PLACES = {
    "idx:idx": "idx/train-images-idx3-ubyte",
    "idx:labels": "labels/train-labels-idx1-ubyte.gz",
    "cifar": "cifar/data_batch_1.bin",
    "pickled": "pickled/data_batch_1",
}


@pytest.fixture
def folder(tmp_path):
    """A folder with a picture, a copy of it, a model, and folders of data sets."""
    for name in ("in.png", "same.png"):
        write(tmp_path / name, np.arange(64, dtype=np.uint8).reshape(8, 8))
    layers = [nn.Conv2D(1, 2, 3, rng=0), nn.GlobalAvgPool2D(), nn.Dense(2, 1, rng=0)]
    model = nn.Sequential(
        layers, (1, 8, 8), task="binary", classes=CLASSES, preprocessing=nn.Preprocessing(8, 8, 1)
    )
    nn.save(model, tmp_path / "model.safetensors")
    for name in ("out", "idx", "labels", "cifar", "pickled"):
        (tmp_path / name).mkdir()
    (tmp_path / "labels" / "train-images-idx3-ubyte").write_bytes(bytes([0, 0, 8, 3]) + bytes(12))
    return tmp_path


def make(path, kind, limit):
    """Make what is no file to read at a path."""
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            before = os.open(".", os.O_RDONLY)
            os.chdir(path.parent)  # the path of a socket is short
            server.bind(path.name)
            os.fchdir(before)
            os.close(before)
    elif kind == "folder":
        path.mkdir()
    else:
        path.touch()
        os.truncate(path, limit + 1)


SECONDS, MEBIBYTES = 10, 300
IN_TURN = Path(__file__).with_name("in_turn.py")


def problems(ending):
    """List what is wrong with the ending of a command that cannot read a file."""
    said = ending["said"]
    errors = [line for line in said.splitlines() if line.startswith("convtool: error: ")]
    rules = {
        "hung": ending["hung"],
        f"ended with {ending['code']}": ending["code"] not in (1, 2),
        f"took {ending['grown']:.0f} MB": ending["grown"] > MEBIBYTES,
        f"printed {ending['out']!r}": bool(ending["out"]),
        f"said {said!r}": "Traceback" in said or len(errors) != 1 or not errors[0].isprintable(),
    }
    return [text for text, broken in rules.items() if broken]


@pytest.mark.parametrize("kind", ["fifo", "device", "socket", "folder", "long"])
def test_no_command_waits_for_what_is_no_file(folder, kind):
    commands = []
    for number, (arguments, limit) in enumerate(COMMANDS.values()):
        commands.append([word.replace("{}", f"{kind}{number}") for word in arguments])
        odd = {*map(PLACES.get, arguments), *commands[-1]} - {None, *arguments}
        make(folder / odd.pop(), kind, LIMITS[limit])
    before = sorted(folder.rglob("*"))
    done = subprocess.run(
        [sys.executable, IN_TURN, str(SECONDS)],
        input=json.dumps(commands),
        capture_output=True,
        check=True,
        cwd=folder,
        env=ENVIRONMENT | {"COLUMNS": "300"},
        text=True,
        timeout=SECONDS * len(commands),
    )
    wrong = [
        f"{' '.join(command)}: {one}"
        for command, ending in zip(commands, json.loads(done.stdout), strict=True)
        for one in problems(ending)
    ]
    assert wrong == []
    assert sorted(folder.rglob("*")) == before
