"""What other tools call an option, and what it is called here."""

import shlex
from collections.abc import Sequence

import click

OPTIONS: dict[str, str] = {
    "sigma": "-k gaussian:sigma={}",
    "blur": "-k gaussian:sigma={}",
    "gaussian": "-k gaussian:sigma={}",
    "gaussian-blur": "-k gaussian:sigma={}",
    "gaussblur": "-k gaussian:sigma={}",
    "radius": "-k disk:radius={}",
    "ksize": "-k box:size={}",
    "kernel-size": "-k box:size={}",
    "size": "-k box:size={}",
    "box": "-k box:size={}",
    "motion-blur": "-k motion:length={}",
    "edge": "-k sobel",
    "edges": "-k sobel",
    "sobel": "-k sobel",
    "laplacian": "-k laplacian-8",
    "sharpen": "-k sharpen-5",
    "unsharp": "-k unsharp",
    "emboss": "-k emboss",
    "convolve": "-k {}",
    "morphology": "-k {}",
    "filter": "-k {}",
    "preset": "-k {}",
    "normalize": "-k SPEC:normalize=sum",
    "scale": "-k SPEC:scale={}",
    "grey": "--gray",
    "grayscale": "--gray",
    "greyscale": "--gray",
    "colorspace": "--gray",
    "bits": "--depth {}",
    "bit-depth": "--depth {}",
    "dtype": "--depth {}",
    "pad": "--padding {}",
    "strides": "--stride {}",
    "step": "--stride {}",
    "border-type": "--border {}",
    "bordertype": "--border {}",
    "boundary": "--border {}",
    "extend": "--border {}",
    "virtual-pixel": "--border {}",
    "fill": "--cval {}",
    "fillvalue": "--cval {}",
    "offset": "--bias {}",
    "delta": "--bias {}",
    "clip": "--range clip",
    "abs": "--range abs",
    "stretch": "--range stretch",
    "crop": "--region {}",
    "roi": "--region {}",
    "extract": "--region {}",
    "channel": "--channels {}",
    "strip": "--metadata strip",
    "out": "--output {}",
    "output-file": "--output {}",
    "outfile": "--output {}",
    "type": "--format {}",
    "parallel": "--jobs {}",
    "num-threads": "--threads {}",
    "force": "nothing: an existing OUT is replaced, unless --no-clobber is given",
    "continue": "--resume",
    "skip-existing": "--no-clobber",
    "max-mem": "--max-memory {}",
    "memory": "--max-memory {}",
}
"""Words of everyday use, ImageMagick, GIMP, libvips, OpenCV and SciPy as options, and what they are
in ``convtool filter``; {} stands for the value."""


def option_meant(name: str, arguments: Sequence[str], command: click.Command) -> str | None:
    """Return what to give in place of an unknown option, where that is known.

    Examples
    --------
    >>> taking = click.Command("filter", params=[click.Option(["-k", "--kernel"])])
    >>> option_meant("--sigma", ["--sigma", "3", "a.png"], taking)
    'give -k gaussian:sigma=3'
    >>> option_meant("--sigma", ["-k", "log", "--sigma=3"], taking)
    'give -k log:sigma=3'
    """
    here = {one for parameter in command.params for one in parameter.opts}
    if "-k" not in here:
        return None
    word, value = name.lstrip("-").lower(), _value(name, arguments)
    meant = _parameter(word, value, arguments) or OPTIONS.get(word)
    if meant is None:
        return None
    first = meant.split(" ")[0]
    if first.startswith("-") and first not in here:
        return None
    return "give " + meant.format(shlex.quote(value) if value else "VALUE")


def command_meant(name: str) -> str | None:
    """Return the command for a kernel that was given as a command.

    Examples
    --------
    >>> command_meant("sobel"), command_meant("find-edges"), command_meant("xyzzy")
    ('filter -k sobel', 'filter -k sobel', None)
    """
    from convtool.kernels.meanings import SUGGESTIONS
    from convtool.kernels.presets import ALIASES, PRESETS

    word = name.lower()
    known = word if word in PRESETS or word in ALIASES else SUGGESTIONS.get(word, (None,))[0]
    return known and f"filter -k {known}"


def _value(name: str, arguments: Sequence[str]) -> str:
    """Return what was given with the option, or nothing where a picture or an option follows."""
    from convtool.work.inputs import looks_like_picture

    for argument, after in zip(arguments, [*arguments[1:], ""], strict=True):
        if argument.startswith(f"{name}="):
            return argument.partition("=")[2]
        if argument == name:
            is_option = after.startswith("-") and not after[1:2].isdigit()
            return "" if is_option or looks_like_picture(after) else after
    return ""


def _parameter(word: str, value: str, arguments: Sequence[str]) -> str | None:
    """Return the kernel with the parameter that was given as an option, if it has such a one."""
    from convtool.kernels.presets import PRESETS

    def has(preset: str) -> bool:
        known = PRESETS.get(preset)
        return known is not None and word in {one.name for one in known.parameters}

    for argument, after in zip(arguments, [*arguments[1:], ""], strict=True):
        given = after if argument in ("-k", "--kernel") else argument.partition("=")[2]
        if argument.startswith(("-k", "--kernel")) and has(given.partition(":")[0]):
            return f"-k {given}{',' if ':' in given else ':'}{word}={value or 'VALUE'}"
    if word in OPTIONS or not value:
        return None
    first = next((name for name in PRESETS if has(name)), None)
    return first and f"-k {first}:{word}={value}"
