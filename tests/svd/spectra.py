"""Matrices with known, hard spectra, and what LAPACK says of them."""

import numpy as np

from convtool.svd.threads import suited_to

ROWS, COLUMNS, K = 120, 170, 20


def matrix_of(singular_values, columns=COLUMNS, seed=0):
    """Return a float32 matrix with these singular values, as near as float32 comes."""
    rng = np.random.default_rng(seed)
    rows = len(singular_values)
    u, _ = np.linalg.qr(rng.standard_normal((rows, rows)))
    v, _ = np.linalg.qr(rng.standard_normal((columns, rows)))
    return ((u * singular_values) @ v.T).astype(np.float32)


def _spectra():
    i = np.arange(1, ROWS + 1)
    return {
        "flat": np.ones(ROWS),
        "step at k": np.where(i <= K, 100.0, 1.0),
        "step after k": np.where(i <= K + 1, 100.0, 1.0),
        "step before k": np.where(i <= K - 8, 100.0, 1.0),
        "two steps": np.where(i <= K - 5, 100.0, np.where(i <= K, 50.0, 1.0)),
        "multiple beyond k": np.where(i <= 3 * K, 2.0, 1.0),
        "hidden": np.where(i < K, 100.0, np.where(i == K, 1.05, 1.0)),
        "deep step": np.where(i <= K, 1.0, 1e-6),
        "slow": i**-0.1,
        "inverse": i**-1.0,
        "inverse square": i**-2.0,
        "exponential": 0.9**i,
        "steep": 0.5**i,
        "stairs": 2.0 ** -(i // 7),
        "linear": 1 - i / (ROWS + 1),
    }


def _matrices():
    rng = np.random.default_rng(7)
    y, x = np.mgrid[:ROWS, :COLUMNS]
    cases = {f"spectrum {name}": matrix_of(values) for name, values in _spectra().items()}
    cases |= {
        "noise": rng.standard_normal((ROWS, COLUMNS)).astype(np.float32),
        "bright noise": (128 + rng.standard_normal((ROWS, COLUMNS))).astype(np.float32),
        "stripes": ((x % 2) * 100 + rng.integers(0, 3, x.shape)).astype(np.uint8),
        "rank one": np.outer(rng.random(ROWS), rng.random(COLUMNS)).astype(np.float32),
        "rank ten": rng.integers(0, 9, (ROWS, 10)) @ rng.integers(0, 9, (10, COLUMNS)),
        "disc": ((x - 85) ** 2 + (y - 60) ** 2 < 1600).astype(np.uint8) * 255,
        "identity": np.eye(ROWS, COLUMNS, dtype=np.float32),
        "one colour": np.full((ROWS, COLUMNS), 200, np.uint8),
        "black": np.zeros((ROWS, COLUMNS), np.uint8),
        "one pixel lit": np.eye(1, ROWS * COLUMNS, 77).reshape(ROWS, COLUMNS),
        "checkerboard": ((x + y) % 2 * 200).astype(np.uint8),
        "ramp": x.astype(np.uint16) * 300,
        "hilbert": 1.0 / (1 + x + y),
        "tall": rng.random((COLUMNS, ROWS)).cumsum(axis=0),
    }
    return cases


MATRICES = _matrices()


def singular_values(matrix):
    """Return LAPACK's singular values in float64."""
    wide = np.asarray(matrix, np.float64)
    with suited_to(wide.size):
        return np.linalg.svd(wide, compute_uv=False)
