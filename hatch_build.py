"""Build hook: the library of compiled functions and the manual pages become part of the wheel."""

import os
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

VARIABLE = "CONVTOOL_BUILD"
"""``python``: build a pure wheel, which compiles by Numba. A folder: take the library that was
built there from the same sources, instead of building one."""

INSIDE = "convtool/compiled/built"
MANUAL = "share/man/man1"
"""Where an environment keeps manual pages."""


class CompiledFunctions(BuildHookInterface):
    """Builds the library into the wheel and the checkout; if editable, into the checkout alone."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the library, whole or not at all."""
        root = Path(self.root)
        self._temporary = tempfile.mkdtemp(prefix="convtool-")
        for page in self._pages(root, Path(self._temporary) / "man1"):
            build_data["shared_data"][str(page)] = f"{MANUAL}/{page.name}"
        if version == "editable":
            target = root / INSIDE
            shutil.rmtree(target, ignore_errors=True)
        else:
            target = Path(self._temporary) / "built"
        reason = self._build(root, target)
        if reason:
            self._say(f"{reason}: compiled functions are left to 'convtool compile'")
            return
        build_data["pure_python"] = False
        build_data["tag"] = self._tag()
        if version != "editable":
            build_data["force_include"][str(target)] = INSIDE

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Leave the library in the checkout too, and remove what was built beside it.

        Python that is started in the checkout imports the sources there.
        """
        if not hasattr(self, "_temporary"):
            return
        built, inside = Path(self._temporary) / "built", Path(self.root) / INSIDE
        if built.is_dir():
            with suppress(OSError):  # a checkout that cannot be written stays as it is
                shutil.rmtree(inside, ignore_errors=True)
                shutil.copytree(built, inside)
        shutil.rmtree(self._temporary, ignore_errors=True)

    def _say(self, what: str) -> None:
        self.app.display_info(f"convtool: {what}")

    def _pages(self, root: Path, folder: Path) -> list[Path]:
        """Make the manual pages, in a process whose imports stay its own; return their files."""
        done = subprocess.run(
            [sys.executable, "-m", "convtool.cli._manpages", str(folder)],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
            self._say(f"no manual pages were made ({reason})")
            return []
        return sorted(folder.iterdir())

    def _build(self, root: Path, target: Path) -> str:
        """Build the library; return why there is none, or nothing."""
        wanted = os.environ.get(VARIABLE, "")
        if wanted == "python":
            return f"{VARIABLE}=python"
        sys.path.insert(0, str(root))
        try:
            from convtool.compiled import build
        finally:
            sys.path.remove(str(root))
        try:
            if wanted:
                build.take(Path(wanted), target)
                self._say(f"the library in {wanted} is taken")
            else:
                build.build(target, self._say)
        except build.BuildError as error:
            return f"no library was built ({error})"
        return ""

    def _tag(self) -> str:
        """Return the wheel's tag: any Python 3, this platform; the library knows no Python."""
        from packaging.tags import sys_tags

        return f"py3-none-{next(iter(sys_tags())).platform}"
