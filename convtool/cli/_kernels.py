"""Kernels named on the command line; notes on how each was read go to stderr."""

import click

from convtool.images.kernels import kernel_spec, single_kernel_spec
from convtool.kernels.spec import KernelSpec


def read_kernel(spec: str) -> KernelSpec:
    """Return the kernel, or the group of kernels, that a text describes."""
    return _told(kernel_spec(spec))


def read_single_kernel(spec: str) -> KernelSpec:
    """Return the one kernel that a text describes."""
    return _told(single_kernel_spec(spec))


def _told(found: KernelSpec) -> KernelSpec:
    for note in found.notes:
        click.echo(f"convtool: note: {note}", err=True)
    return found
