"""The ends of a step: the losses, and the optimisers.

The formulas are those of ``nn.losses`` and ``nn.optimizers``; the optimisers' numbers stand in
memory in the order that ``compiled.rules`` writes them.
"""

from math import exp, isfinite, log, log1p
from typing import Any

import numpy as np

from convtool.compiled.jit import compiled
from convtool.nn.jit.operations import BINARY, BINARY_PROBABILITY, CLASSES, PROBABILITY
from convtool.nn.jit.simd import WIDTH, load, operation, root, splat, store, total, unpack
from convtool.nn.losses import LEAST_LOG, LEAST_PROBABILITY


@operation
def cross_entropy(mem: Any, row: Any) -> None:
    """Softmax and cross-entropy of pictures first to last; the gradient goes to dy.

    The targets are `CLASSES`, a number for each class, or `LABELS`, which smoothing spreads.
    """
    f = unpack(row, "cross_entropy")
    spread = np.float64(mem[f.smoothing]) / f.classes
    hit = 1.0 - np.float64(mem[f.smoothing])
    losses = 0.0
    for p in range(f.first, f.last):
        base, goals, label, share = f.y + p * f.y_p, f.labels + p * f.classes, 0, 1.0
        if f.kind == CLASSES:
            share = 0.0
            for c in range(f.classes):
                share += np.float64(mem[goals + c])
        else:
            label = int(mem[f.labels + p])
        most = mem[base]
        for c in range(1, f.classes):
            most = max(most, mem[base + c])
        whole = 0.0
        for c in range(f.classes):
            whole += exp(np.float64(mem[base + c] - most))
        shift = np.float64(most) + log(whole)
        for c in range(f.classes):
            log_p = np.float64(mem[base + c]) - shift
            goal = spread + hit if c == label else spread
            if f.kind == CLASSES:
                goal = np.float64(mem[goals + c])
            losses -= goal * log_p
            mem[f.dy + p * f.y_p + c] = np.float32((exp(log_p) * share - goal) / f.count)
    mem[f.loss] = np.float32(losses / f.count)


@operation
def elementwise_loss(mem: Any, row: Any) -> None:
    """Compare every output of pictures first to last with its target, by the loss of a kind.

    Of an output x: `BINARY`, its sigmoid's cross-entropy; `PROBABILITY` and `BINARY_PROBABILITY`,
    its own (below 0 the first gives NaN); else the squared error.
    """
    f = unpack(row, "elementwise_loss")
    losses = 0.0
    size = f.count * f.classes
    for p in range(f.first, f.last):
        for c in range(f.classes):
            x = np.float64(mem[f.y + p * f.y_p + c])
            goal = np.float64(mem[f.labels + p * f.classes + c])
            if f.kind == BINARY:
                small = exp(-abs(x))
                losses += max(x, 0.0) - x * goal + log1p(small)
                positive = 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)
                slope = (positive - goal) / size
            elif f.kind == PROBABILITY:
                bounded = x if x < 0.0 else max(x, np.float64(LEAST_PROBABILITY))
                losses -= goal * log(bounded)
                slope = -goal / (bounded * size)
            elif f.kind == BINARY_PROBABILITY:
                yes = LEAST_LOG if x == 0.0 else max(log(x), LEAST_LOG)
                no = LEAST_LOG if x == 1.0 else max(log(1.0 - x), LEAST_LOG)
                losses -= goal * yes + (1.0 - goal) * no
                slope = (x - goal) / max(x * (1.0 - x), LEAST_PROBABILITY) / size
            else:
                difference = x - goal
                losses += difference * difference
                slope = 2.0 * difference / size
            mem[f.dy + p * f.y_p + c] = np.float32(slope)
    mem[f.loss] = np.float32(losses / size)


@operation
def squares(mem: Any, row: Any) -> None:
    """Add ``l2 / 2`` times the sum of squared weights first to last to the thread's loss."""
    f = unpack(row, "squares")
    if mem[f.l2] > 0:
        sums = splat(np.float32(0))
        for i in range(f.first, f.last, WIDTH):
            v = load(mem, i)
            sums = sums + v * v
        mem[f.loss] += np.float32(0.5) * mem[f.l2] * total(sums)


@compiled
def _end(mem: Any, f: Any) -> Any:
    """Return where an optimiser ends: at its first parameter if the batch's loss is not finite."""
    whole = np.float64(0)
    for t in range(f.threads):
        whole += np.float64(mem[f.loss + t * f.loss_step])
    return f.last if isfinite(whole) else f.first


@compiled
def _number(mem: Any, f: Any, place: int) -> Any:
    """Return a vector of an optimiser's number: the learning rate, l2, and its own from 2 on."""
    return splat(mem[f.numbers + place])


@compiled
def _gradient(mem: Any, f: Any, i: int) -> Any:
    """Return the sum of all threads' gradients, and L2's part."""
    g = load(mem, f.grads + i)
    for t in range(1, f.copies):
        g = g + load(mem, f.grads + t * f.step + i)
    if f.decayed:
        g = g + _number(mem, f, 1) * load(mem, i)
    return g


@operation
def sgd(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.SGD``."""
    f = unpack(row, "sgd")
    lr = _number(mem, f, 0)
    for i in range(f.first, _end(mem, f), WIDTH):
        store(mem, i, load(mem, i) - lr * _gradient(mem, f, i))


@operation
def momentum(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.Momentum``."""
    f = unpack(row, "momentum")
    lr, mass = _number(mem, f, 0), _number(mem, f, 2)
    for i in range(f.first, _end(mem, f), WIDTH):
        v = mass * load(mem, f.one + i) + _gradient(mem, f, i)
        store(mem, f.one + i, v)
        store(mem, i, load(mem, i) - lr * v)


@operation
def adagrad(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.AdaGrad``."""
    f = unpack(row, "adagrad")
    lr, epsilon = _number(mem, f, 0), _number(mem, f, 2)
    for i in range(f.first, _end(mem, f), WIDTH):
        g = _gradient(mem, f, i)
        s = load(mem, f.one + i) + g * g
        store(mem, f.one + i, s)
        store(mem, i, load(mem, i) - lr * g / (root(s) + epsilon))


@operation
def adagrad_momentum(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.AdaGradMomentum``."""
    f = unpack(row, "adagrad_momentum")
    lr, mass, epsilon = _number(mem, f, 0), _number(mem, f, 2), _number(mem, f, 3)
    for i in range(f.first, _end(mem, f), WIDTH):
        g = _gradient(mem, f, i)
        s = load(mem, f.one + i) + g * g
        store(mem, f.one + i, s)
        v = mass * load(mem, f.two + i) + g / (root(s) + epsilon)
        store(mem, f.two + i, v)
        store(mem, i, load(mem, i) - lr * v)


@operation
def rmsprop(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.RMSProp``."""
    f = unpack(row, "rmsprop")
    lr, rho, rest = _number(mem, f, 0), _number(mem, f, 2), _number(mem, f, 3)
    epsilon = _number(mem, f, 4)
    for i in range(f.first, _end(mem, f), WIDTH):
        g = _gradient(mem, f, i)
        s = rho * load(mem, f.one + i) + rest * (g * g)
        store(mem, f.one + i, s)
        store(mem, i, load(mem, i) - lr * g / (root(s) + epsilon))


@operation
def adam(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.Adam`` or ``optimizers.AdamW``."""
    f = unpack(row, "adam")
    lr, beta1, rest1 = _number(mem, f, 0), _number(mem, f, 2), _number(mem, f, 3)
    beta2, rest2, correction = _number(mem, f, 4), _number(mem, f, 5), _number(mem, f, 6)
    epsilon, shrink = _number(mem, f, 7), splat(np.float32(1))
    if f.decayed:
        shrink = _number(mem, f, 8)
    for i in range(f.first, _end(mem, f), WIDTH):
        g = _gradient(mem, f, i)
        m = beta1 * load(mem, f.one + i) + rest1 * g
        v = beta2 * load(mem, f.two + i) + rest2 * (g * g)
        store(mem, f.one + i, m)
        store(mem, f.two + i, v)
        store(mem, i, shrink * load(mem, i) - lr * m / (root(v * correction) + epsilon))
