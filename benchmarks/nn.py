"""One training step of convtool against PyTorch's: `python benchmarks/nn.py [NETWORK …]`.

Each step is forward, backward and Adam on 64 pictures in float32, two threads each, in blocks that
alternate, with a pause before each so that no one's waiting threads disturb the other. Before
anything is timed, both must compute the same loss from the same weights. Peak memory is that of a
process of its own (on Linux). Needs PyTorch.
"""

import os
import platform
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from convtool import nn
from convtool.nn.architectures import build_layers

NETWORKS = {
    "digits": (1, 8, 8),
    "mnist": (1, 28, 28),
    "textbook": (1, 28, 28),
    "wide": (1, 28, 28),
}
BATCH, THREADS, BLOCKS, STEPS = 64, 2, 6, 15


def batch(shape):
    """Return random pictures and labels."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((BATCH, *shape)).astype(np.float32)
    return x, rng.integers(0, 10, BATCH)


def our_model(name):
    """Return one of convtool's networks, by name."""
    layers = build_layers(name, NETWORKS[name], 10, 0)
    return nn.Sequential(layers, NETWORKS[name], threads=THREADS)


def our_step(model, x, y):
    """Return a function that takes one training step."""
    loss, optimizer = nn.losses.CrossEntropy(), nn.optimizers.Adam()
    return lambda: model.train_step(x, y, loss, optimizer)


def torch_model(torch, layers):
    """Return the same network with the same weights."""
    make = {
        "ReLU": torch.nn.ReLU,
        "Sigmoid": torch.nn.Sigmoid,
        "Flatten": torch.nn.Flatten,
        "GlobalAvgPool2D": lambda: torch.nn.Sequential(
            torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        ),
    }
    twins = []
    for layer in layers:
        name = type(layer).__name__
        if name == "Conv2D":
            twin = torch.nn.Conv2d(layer.in_channels, layer.out_channels, 3, padding=1)
            weight = torch.tensor(layer.params["weight"])
        elif name == "Dense":
            twin = torch.nn.Linear(layer.in_features, layer.out_features)
            weight = torch.tensor(layer.params["weight"].T.copy())
        elif name == "MaxPool2D":
            twin = torch.nn.MaxPool2d(2)
        elif name == "BatchNorm":
            twin = torch.nn.BatchNorm1d(layer.features)
        elif name == "Dropout":
            twin = torch.nn.Dropout(layer.rate)
        else:
            twin = make[name]()
        if name in ("Conv2D", "Dense"):
            twin.weight.data, twin.bias.data = weight, torch.tensor(layer.params["bias"])
        twins.append(twin)
    return torch.nn.Sequential(*twins)


def torch_step(torch, model, x, y, *, best):
    """Return a function that takes one training step with PyTorch."""
    loss = torch.nn.CrossEntropyLoss()
    x, y = torch.tensor(x), torch.tensor(y)
    if best:
        model = model.to(memory_format=torch.channels_last)
        x = x.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), fused=best or None)

    def step():
        optimizer.zero_grad()
        value = loss(model(x), y)
        value.backward()
        optimizer.step()
        return float(value.detach())

    return step


def check(torch, name, x, y):
    """Compare the first losses; dropout draws differently, so inference is compared there."""
    model = our_model(name)
    twin = torch_model(torch, model.layers)
    if any(isinstance(layer, nn.Dropout) for layer in model.layers):
        with torch.no_grad():
            theirs = twin.eval()(torch.tensor(x)).numpy()
        np.testing.assert_allclose(model.outputs(x), theirs, rtol=1e-3, atol=1e-3)
        return
    ours = our_step(model, x, y)()
    theirs = torch_step(torch, twin, x, y, best=False)()
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)


def compare(torch, name):
    """Time all three in alternating blocks; return median and quartiles of each."""
    x, y = batch(NETWORKS[name])
    check(torch, name, x, y)
    model = our_model(name)
    steps = {
        "convtool": our_step(model, x, y),
        "torch": torch_step(torch, torch_model(torch, model.layers), x, y, best=False),
        "torch best": torch_step(torch, torch_model(torch, model.layers), x, y, best=True),
    }
    times = {who: [] for who in steps}
    for _ in range(BLOCKS):
        for who, step in steps.items():
            time.sleep(0.1)
            for _ in range(4):
                step()
            for _ in range(STEPS):
                start = time.perf_counter()
                step()
                times[who].append(1e3 * (time.perf_counter() - start))
    return {who: np.percentile(values, (50, 25, 75)) for who, values in times.items()}


def peak(name, who):
    """Return the peak memory of a process that takes ten steps, in MiB."""
    command = [sys.executable, __file__, "--peak", name, who]
    return float(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


def print_peak(name, who):
    """Take ten steps and print this process's peak memory in MiB."""
    x, y = batch(NETWORKS[name])
    if who == "convtool":
        step = our_step(our_model(name), x, y)
    else:
        import torch

        torch.set_num_threads(THREADS)
        layers = build_layers(name, NETWORKS[name], 10, 0)
        step = torch_step(torch, torch_model(torch, layers), x, y, best=False)
    for _ in range(10):
        step()
    # not ru_maxrss: a child process begins with its parent's
    status = Path("/proc/self/status").read_text(encoding="ascii")
    print(int(status.partition("VmHWM:")[2].split()[0]) / 1024)


def main(names):
    """Print one line for each network."""
    import torch

    torch.set_num_threads(THREADS)
    print(f"{platform.machine()}, {os.cpu_count()} processors, Python {platform.python_version()}")
    print(f"NumPy {np.__version__}, PyTorch {torch.__version__}, {THREADS} threads each")
    print("median (quartiles) in ms; ratio of medians; peak memory in MiB")
    for name in names:
        result = compare(torch, name)
        ours = result["convtool"][0]
        parts = [f"{who} {m:.2f} ({low:.2f}-{high:.2f})" for who, (m, low, high) in result.items()]
        ratios = " ".join(f"{ours / result[who][0]:.2f}" for who in ("torch", "torch best"))
        memory = " ".join(f"{peak(name, who):.0f}" for who in ("convtool", "torch"))
        print(f"{name}: {', '.join(parts)}; ratio {ratios}; memory {memory}", flush=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--peak"]:
        print_peak(*sys.argv[2:4])
    else:
        main(sys.argv[1:] or list(NETWORKS))
