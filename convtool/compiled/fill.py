"""Fill the cache: compile all functions at once, for an installation without a built library."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor

from convtool.compiled import cache, target
from convtool.compiled.functions import FUNCTIONS, all_functions


def _compile(module: str) -> None:
    """Compile the functions whose sources stand in a module, in a process of its own."""
    from convtool.compiled import jit

    for name, types in all_functions(target.current()):
        if FUNCTIONS[name].module == module:
            jit.address(name, types)


def fill(workers: int) -> None:
    """Compile all functions into the cache, and mark it complete.

    Parameters
    ----------
    workers : int
        How many processes work at once.

    Raises
    ------
    OSError
        If there is no private folder that compiled code can be kept in.
    """
    if cache.folder() is None:
        raise OSError(
            f"{cache.wanted() or 'convtool'}: compiled code cannot be kept there; name a private"
            f" folder with room in {cache.VARIABLE}"
        )
    modules = sorted({FUNCTIONS[name].module for name, _ in all_functions(target.current())})
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(workers, len(modules)), mp_context=context) as pool:
        list(pool.map(_compile, modules))
    cache.mark_complete()
