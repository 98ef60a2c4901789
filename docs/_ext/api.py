"""A page for each module with public names, which autosummary fills from their docstrings."""

from importlib import import_module
from pathlib import Path
from types import ModuleType

from _ext.fragments import table, write_text

ROOTS = ("convtool", "convtool.filtering", "convtool.errors")


def public_names(module: ModuleType) -> list[str]:
    """Return a module's public names: those that it lists, else those that it defines."""
    listed = getattr(module, "__all__", None)
    lazy = [*getattr(module, "_HOMES", ()), *getattr(module, "_SUBMODULES", ())]
    lazy += getattr(module, "_MODULES", ())
    if listed is None and lazy:
        listed = lazy
    if listed is None:
        listed = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and getattr(value, "__module__", None) == module.__name__
        ]
    return sorted(name for name in listed if not name.startswith("_"))


def modules() -> dict[str, tuple[ModuleType, list[str]]]:
    """Return the modules with public names, each with those names that are no modules."""
    found, waiting = {}, list(ROOTS)
    while waiting:
        module = import_module(waiting.pop(0))
        values = {name: getattr(module, name) for name in public_names(module)}
        inner = [v.__name__ for v in values.values() if isinstance(v, ModuleType)]
        waiting += [name for name in inner if name not in found]
        names = [name for name, value in values.items() if not isinstance(value, ModuleType)]
        found[module.__name__] = module, names
    return {name: found[name] for name in sorted(found) if found[name][1]}


def _page(name: str, names: list[str]) -> str:
    listed = "\n".join(f"   {one}" for one in names)
    return (
        f"{name}\n{'=' * len(name)}\n\n.. automodule:: {name}\n   :no-members:\n\n"
        f".. currentmodule:: {name}\n\n.. autosummary::\n   :toctree: names\n   :nosignatures:\n\n"
        f"{listed}\n"
    )


def write(generated: Path) -> None:
    """Write the pages, and the table that leads to them."""
    rows = []
    for name, (module, names) in modules().items():
        write_text(generated.parent / "api" / f"{name}.rst", _page(name, names))
        summary = (module.__doc__ or "").strip().splitlines()[0].rstrip(".")
        rows.append([f"[`{name}`](api/{name}.rst)", summary, str(len(names))])
    contents = "\n".join(f"api/{name}" for name in modules())
    toctree = f"```{{toctree}}\n:hidden:\n\n{contents}\n```\n"
    heads = ["module", "what it is for", "names"]
    write_text(generated / "api.md", table(heads, rows) + "\n" + toctree)
