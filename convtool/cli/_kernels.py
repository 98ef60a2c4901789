"""Kernels given on the command line; notes on their interpretation go to stderr."""

from convtool.cli._terminal import say
from convtool.images.kernels import kernel_spec, single_kernel_spec
from convtool.kernels.spec import KernelSpec


def read_kernel(spec: str) -> KernelSpec:
    """Parse a spec as a kernel or a group of kernels, and print its notes."""
    return _told(kernel_spec(spec))


def read_single_kernel(spec: str) -> KernelSpec:
    """Parse a spec as a single kernel, and print its notes."""
    return _told(single_kernel_spec(spec))


def _told(found: KernelSpec) -> KernelSpec:
    for note in found.notes:
        say(f"convtool: note: {note}", err=True)
    return found
