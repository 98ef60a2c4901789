"""The oracle: the slow, obvious convolution. It imports nothing from convtool."""

from itertools import product

import numpy as np


def _outside(index: int, n: int, border: str) -> int | None:
    """Walk an index back into 0 … n-1 step by step; None where there is no pixel."""
    while not 0 <= index < n:
        if border == "constant":
            return None
        if border == "nearest":
            index = 0 if index < 0 else n - 1
        elif border == "wrap":
            index += n if index < 0 else -n
        elif border == "reflect":
            index = -1 - index if index < 0 else 2 * n - 1 - index
        elif border == "mirror":
            index = 0 if n == 1 else (-index if index < 0 else 2 * n - 2 - index)
        else:
            raise AssertionError(border)
    return index


def correlate(
    image,
    kernel,
    mode="same",
    border="reflect",
    cval=0.0,
    padding=None,
    stride=(1, 1),
    flipped=False,
):
    """Sum the products of each window, pixel by pixel, in float64.

    A kernel weight of zero reads no pixel, so it carries no NaN.
    """
    image = np.asarray(image, dtype=np.float64)
    kernel = np.asarray(kernel, dtype=np.float64)
    if image.ndim == 3:
        planes = [
            correlate(image[:, :, c], kernel, mode, border, cval, padding, stride, flipped)
            for c in range(image.shape[2])
        ]
        return np.stack(planes, axis=2)
    if flipped:
        kernel = kernel[::-1, ::-1]
    starts, counts = [], []
    for axis in (0, 1):
        n, k = image.shape[axis], kernel.shape[axis]
        if padding is not None:
            start, count = -padding[axis], n + 2 * padding[axis] - k + 1
        elif mode == "same":
            start, count = -((k - 1) // 2 if flipped else k // 2), n
        elif mode == "full":
            start, count = 1 - k, n + k - 1
        else:
            start, count = 0, n - k + 1
        starts.append(start)
        counts.append(range(0, count, stride[axis]))
    answer = np.zeros((len(counts[0]), len(counts[1])))
    for (row, top), (column, left) in product(enumerate(counts[0]), enumerate(counts[1])):
        total = 0.0
        for y, x in product(range(kernel.shape[0]), range(kernel.shape[1])):
            if kernel[y, x] == 0:
                continue
            sy = _outside(top + starts[0] + y, image.shape[0], border)
            sx = _outside(left + starts[1] + x, image.shape[1], border)
            value = cval if sy is None or sx is None else image[sy, sx]
            total += kernel[y, x] * value
        answer[row, column] = total
    return answer


def convolve(image, kernel, **options):
    """Correlate with the kernel flipped."""
    return correlate(image, kernel, flipped=True, **options)


def blur_matrix(shape, kernel, border, flipped):
    """Return the matrix of a convolution, or a correlation: its answer to each single pixel."""
    columns = []
    for place in product(range(shape[0]), range(shape[1])):
        impulse = np.zeros(shape)
        impulse[place] = 1
        columns.append(correlate(impulse, kernel, border=border, flipped=flipped).ravel())
    return np.array(columns).T


def wiener(image, kernel, balance, border="reflect", cval=0.0, flipped=True):
    """Solve the normal equations of ‖K∗x − y‖² + λ‖L∗x‖² as one dense system."""
    laplacian = [[0, -1, 0], [-1, 4, -1], [0, -1, 0]]
    blur = blur_matrix(image.shape, kernel, border, flipped)
    rough = blur_matrix(image.shape, laplacian, "wrap" if border == "wrap" else "reflect", True)
    outside = correlate(np.zeros(image.shape), kernel, border=border, cval=cval, flipped=flipped)
    right = blur.T @ (np.asarray(image, np.float64) - outside).ravel()
    return np.linalg.solve(blur.T @ blur + balance * rough.T @ rough, right).reshape(image.shape)


def richardson_lucy(image, kernel, iterations, border="reflect", cval=0.0, flipped=True):
    """Multiply by Kᵀ∗(y / K∗x) / Kᵀ∗1 from a flat picture on, with the blur as a matrix."""
    blur = blur_matrix(image.shape, kernel, border, flipped)
    outside = correlate(np.zeros(image.shape), kernel, border=border, cval=cval, flipped=flipped)
    seen = np.asarray(image, np.float64).ravel()
    answer = np.full(seen.shape, seen.mean())
    for _ in range(iterations):
        answer = answer * (blur.T @ (seen / (blur @ answer + outside.ravel()))) / blur.sum(axis=0)
    return answer.reshape(image.shape)


def correlate_volume(
    volume,
    kernel,
    mode="same",
    borders=("reflect", "reflect", "reflect"),
    cval=0.0,
    origin=(0, 0, 0),
    flipped=False,
):
    """Sum the products of each window of a volume (D, H, W), voxel by voxel, in float64."""
    volume = np.asarray(volume, dtype=np.float64)
    kernel = np.asarray(kernel, dtype=np.float64)
    if flipped:
        kernel = kernel[::-1, ::-1, ::-1]
    starts, counts = [], []
    for n, k, shift in zip(volume.shape, kernel.shape, origin, strict=True):
        centre = (k - 1) // 2 - shift if flipped else k // 2 + shift
        start, count = {"same": (-centre, n), "full": (1 - k, n + k - 1), "valid": (0, n - k + 1)}[
            mode
        ]
        starts.append(start)
        counts.append(count)
    weights = [place for place in product(*map(range, kernel.shape)) if kernel[place] != 0]
    answer = np.zeros(counts)
    for output in product(*map(range, counts)):
        for place in weights:
            read = [
                _outside(output[axis] + starts[axis] + place[axis], volume.shape[axis], rule)
                for axis, rule in enumerate(borders)
            ]
            value = cval if None in read else float(volume[tuple(read)])
            answer[output] = float(answer[output]) + float(kernel[place]) * value
    return answer
