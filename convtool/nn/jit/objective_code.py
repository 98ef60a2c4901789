"""The ends of a step: the losses, and the optimisers.

The formulas are those of ``nn.losses`` and ``nn.optimizers``; the optimisers' numbers stand in
memory in the order that ``compiled.rules`` writes them.
"""

from math import exp, isfinite, log, log1p
from typing import Any

import numpy as np

from convtool.compiled.jit import compiled
from convtool.nn.jit.simd import WIDTH, load, operation, root, splat, store, total, unpack
from convtool.nn.losses import LEAST_LOG, LEAST_PROBABILITY


@operation
def cross_entropy(mem: Any, row: Any) -> None:
    """Softmax and cross-entropy of pictures first to last; the gradient goes to dy."""
    first, last, count, classes, y, y_p, labels, dy, loss, smoothing = unpack(row, 10)
    spread = np.float64(mem[smoothing]) / classes
    hit = 1.0 - np.float64(mem[smoothing])
    losses = 0.0
    for p in range(first, last):
        base = y + p * y_p
        most = mem[base]
        for c in range(1, classes):
            most = max(most, mem[base + c])
        whole = 0.0
        for c in range(classes):
            whole += exp(np.float64(mem[base + c] - most))
        shift = np.float64(most) + log(whole)
        label = np.int64(mem[labels + p])
        for c in range(classes):
            log_p = np.float64(mem[base + c]) - shift
            goal = spread + hit if c == label else spread
            losses -= goal * log_p
            mem[dy + p * y_p + c] = np.float32((exp(log_p) - goal) / count)
    mem[loss] = np.float32(losses / count)


@operation
def soft_cross_entropy(mem: Any, row: Any) -> None:
    """Softmax and cross-entropy of pictures first to last, with a target for each class."""
    first, last, count, classes, y, y_p, labels, dy, loss, _smoothing = unpack(row, 10)
    losses = 0.0
    for p in range(first, last):
        base, goals = y + p * y_p, labels + p * classes
        most = mem[base]
        for c in range(1, classes):
            most = max(most, mem[base + c])
        whole, share = 0.0, 0.0
        for c in range(classes):
            whole += exp(np.float64(mem[base + c] - most))
            share += np.float64(mem[goals + c])
        shift = np.float64(most) + log(whole)
        for c in range(classes):
            log_p, goal = np.float64(mem[base + c]) - shift, np.float64(mem[goals + c])
            losses -= goal * log_p
            mem[dy + p * y_p + c] = np.float32((exp(log_p) * share - goal) / count)
    mem[loss] = np.float32(losses / count)


@operation
def binary_cross_entropy(mem: Any, row: Any) -> None:
    """Sigmoid and binary cross-entropy of pictures first to last."""
    first, last, count, classes, y, y_p, labels, dy, loss, _smoothing = unpack(row, 10)
    losses = 0.0
    size = count * classes
    for p in range(first, last):
        for c in range(classes):
            x, goal = np.float64(mem[y + p * y_p + c]), np.float64(mem[labels + p * classes + c])
            small = exp(-abs(x))
            losses += max(x, 0.0) - x * goal + log1p(small)
            positive = 1.0 / (1.0 + small) if x >= 0 else small / (1.0 + small)
            mem[dy + p * y_p + c] = np.float32((positive - goal) / size)
    mem[loss] = np.float32(losses / size)


@operation
def probability_cross_entropy(mem: Any, row: Any) -> None:
    """Cross-entropy of probabilities, of pictures first to last; below 0 they give NaN."""
    first, last, count, classes, y, y_p, labels, dy, loss, _smoothing = unpack(row, 10)
    losses = 0.0
    size = count * classes
    for p in range(first, last):
        for c in range(classes):
            x, goal = np.float64(mem[y + p * y_p + c]), np.float64(mem[labels + p * classes + c])
            bounded = x if x < 0.0 else max(x, np.float64(LEAST_PROBABILITY))
            losses -= goal * log(bounded)
            mem[dy + p * y_p + c] = np.float32(-goal / (bounded * size))
    mem[loss] = np.float32(losses / size)


@operation
def probability_binary_cross_entropy(mem: Any, row: Any) -> None:
    """Binary cross-entropy of probabilities, of pictures first to last."""
    first, last, count, classes, y, y_p, labels, dy, loss, _smoothing = unpack(row, 10)
    losses = 0.0
    size = count * classes
    for p in range(first, last):
        for c in range(classes):
            x, goal = np.float64(mem[y + p * y_p + c]), np.float64(mem[labels + p * classes + c])
            yes = LEAST_LOG if x == 0.0 else max(log(x), LEAST_LOG)
            no = LEAST_LOG if x == 1.0 else max(log(1.0 - x), LEAST_LOG)
            losses -= goal * yes + (1.0 - goal) * no
            slope = (x - goal) / max(x * (1.0 - x), LEAST_PROBABILITY)
            mem[dy + p * y_p + c] = np.float32(slope / size)
    mem[loss] = np.float32(losses / size)


@operation
def mean_squared_error(mem: Any, row: Any) -> None:
    """Mean squared error of pictures first to last; targets lie as closely as possible."""
    first, last, count, classes, y, y_p, labels, dy, loss, _smoothing = unpack(row, 10)
    losses = 0.0
    size = count * classes
    for p in range(first, last):
        for c in range(classes):
            difference = np.float64(mem[y + p * y_p + c]) - np.float64(
                mem[labels + p * classes + c]
            )
            losses += difference * difference
            mem[dy + p * y_p + c] = np.float32(2.0 * difference / size)
    mem[loss] = np.float32(losses / size)


@operation
def squares(mem: Any, row: Any) -> None:
    """Add ``l2 / 2`` times the sum of squared weights first to last to the thread's loss."""
    first, last, l2, loss = unpack(row, 4)
    if mem[l2] > 0:
        sums = splat(np.float32(0))
        for i in range(first, last, WIDTH):
            v = load(mem, i)
            sums = sums + v * v
        mem[loss] += np.float32(0.5) * mem[l2] * total(sums)


@compiled
def _finite(mem: Any, loss: int, loss_step: int, threads: int) -> bool:
    whole = np.float64(0)
    for t in range(threads):
        whole += np.float64(mem[loss + t * loss_step])
    return isfinite(whole)


@compiled
def _gradient(mem: Any, i: int, grads: int, step: int, copies: int, decayed: int, l2: Any) -> Any:
    """Return the sum of all threads' gradients, and L2's part."""
    g = load(mem, grads + i)
    for t in range(1, copies):
        g = g + load(mem, grads + t * step + i)
    if decayed:
        g = g + splat(l2) * load(mem, i)
    return g


@operation
def sgd(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.SGD``."""
    (first, last, grads, step, copies, decayed, _one, _two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2 = splat(mem[numbers]), mem[numbers + 1]
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        store(mem, i, load(mem, i) - lr * g)


@operation
def momentum(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.Momentum``."""
    (first, last, grads, step, copies, decayed, one, _two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2, mass = splat(mem[numbers]), mem[numbers + 1], splat(mem[numbers + 2])
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        v = mass * load(mem, one + i) + g
        store(mem, one + i, v)
        store(mem, i, load(mem, i) - lr * v)


@operation
def adagrad(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.AdaGrad``."""
    (first, last, grads, step, copies, decayed, one, _two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2, epsilon = splat(mem[numbers]), mem[numbers + 1], splat(mem[numbers + 2])
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        s = load(mem, one + i) + g * g
        store(mem, one + i, s)
        store(mem, i, load(mem, i) - lr * g / (root(s) + epsilon))


@operation
def adagrad_momentum(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.AdaGradMomentum``."""
    (first, last, grads, step, copies, decayed, one, two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2, mass = splat(mem[numbers]), mem[numbers + 1], splat(mem[numbers + 2])
    epsilon = splat(mem[numbers + 3])
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        s = load(mem, one + i) + g * g
        store(mem, one + i, s)
        v = mass * load(mem, two + i) + g / (root(s) + epsilon)
        store(mem, two + i, v)
        store(mem, i, load(mem, i) - lr * v)


@operation
def rmsprop(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.RMSProp``."""
    (first, last, grads, step, copies, decayed, one, _two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2, rho = splat(mem[numbers]), mem[numbers + 1], splat(mem[numbers + 2])
    rest, epsilon = splat(mem[numbers + 3]), splat(mem[numbers + 4])
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        s = rho * load(mem, one + i) + rest * (g * g)
        store(mem, one + i, s)
        store(mem, i, load(mem, i) - lr * g / (root(s) + epsilon))


@operation
def adam(mem: Any, row: Any) -> None:
    """Take one step of ``optimizers.Adam`` or ``optimizers.AdamW``."""
    (first, last, grads, step, copies, decayed, one, two, numbers, loss, loss_step, threads) = (
        unpack(row, 12)
    )
    if not _finite(mem, loss, loss_step, threads):
        return
    lr, l2, beta1 = splat(mem[numbers]), mem[numbers + 1], splat(mem[numbers + 2])
    rest1, beta2 = splat(mem[numbers + 3]), splat(mem[numbers + 4])
    rest2, correction = splat(mem[numbers + 5]), splat(mem[numbers + 6])
    epsilon = splat(mem[numbers + 7])
    shrink = splat(mem[numbers + 8] if decayed else np.float32(1))
    for i in range(first, last, WIDTH):
        g = _gradient(mem, i, grads, step, copies, decayed, l2)
        m = beta1 * load(mem, one + i) + rest1 * g
        v = beta2 * load(mem, two + i) + rest2 * (g * g)
        store(mem, one + i, m)
        store(mem, two + i, v)
        store(mem, i, shrink * load(mem, i) - lr * m / (root(v * correction) + epsilon))
