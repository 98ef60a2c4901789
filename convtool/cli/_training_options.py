"""Options shared by the commands that train: data set, network, recipe."""

from typing import Any

import click

from convtool.cli._file_options import dataset_reading_options
from convtool.cli._help import option
from convtool.cli._options import data_option, names_of, together
from convtool.cli._pictures import SizeType, background_option
from convtool.nn.architectures import ARCHITECTURES
from convtool.nn.datasets import SOURCES, Dataset
from convtool.nn.optimizers import OPTIMIZERS
from convtool.nn.recipe import SETTINGS, Recipe, batch_size_for
from convtool.nn.schedules import SCHEDULES
from convtool.records import replace

training_options = together(
    click.argument("dataset"),
    data_option,
    option(
        "--size",
        topic="data",
        type=SizeType(),
        default="64",
        show_default=True,
        help="For folders.",
    ),
    option("--gray", topic="data", is_flag=True, help="For folders: convert pictures to grey."),
    background_option,
    option(
        "--limit",
        topic="data",
        type=click.IntRange(1),
        help="Use at most N pictures, in proportion for each class.",
    ),
    option(
        "--classes",
        topic="data",
        type=names_of,
        metavar="NAME,…",
        help="Only these classes, such as 0,1.  [default: all]",
    ),
    option(
        "--arch",
        topic="network",
        metavar="NAME|SPEC",
        help=f"A name ({', '.join(ARCHITECTURES)}) or layers: 'conv 16 3x3 same, relu, pool 2'."
        "  [default: small; mnist: compact]",
    ),
    option("--epochs", topic="training", type=int, help="[default: by the data set]"),
    option("--batch-size", topic="training", type=int, help="[default: 64, less for few pictures]"),
    option(
        "--optimizer", topic="training", type=click.Choice(list(OPTIMIZERS)), help="[default: adam]"
    ),
    option(
        "--lr",
        topic="training",
        type=float,
        help="The highest learning rate.  [default: by the optimizer]",
    ),
    option(
        "--schedule",
        topic="training",
        type=click.Choice(list(SCHEDULES)),
        help="How the learning rate changes.  [default: cosine]",
    ),
    option(
        "--momentum",
        topic="training",
        type=float,
        help="Of momentum and adagrad-momentum.  [default: 0.9]",
    ),
    option(
        "--nesterov",
        topic="training",
        is_flag=True,
        default=None,
        help="Use Nesterov's momentum with --optimizer momentum.",
    ),
    option("--rho", topic="training", type=float, help="Of rmsprop.  [default: 0.99]"),
    option("--beta1", topic="training", type=float, help="Of adam and adamw.  [default: 0.9]"),
    option("--beta2", topic="training", type=float, help="Of adam and adamw.  [default: 0.999]"),
    option(
        "--clip",
        topic="training",
        type=float,
        help="Largest global norm of the gradients; larger gradients are scaled down to it.  "
        "[default: none]",
    ),
    option(
        "--l2",
        topic="training",
        type=float,
        help="L2 penalty λ: adds half of λ times the sum of the squared weights to the loss "
        "(Keras' l2(λ) adds twice that); adamw uses it as weight decay.  [default: 0]",
    ),
    option(
        "--class-weights",
        topic="training",
        metavar="balanced|NAME=WEIGHT,…",
        help="Weight of each class in the loss; balanced gives all classes the same total "
        "weight.  [default: none]",
    ),
    option(
        "--dropout", topic="network", type=float, help="Replace the rate of every dropout layer."
    ),
    option("--label-smoothing", topic="training", type=float, help="[default: 0]"),
    option(
        "--augment",
        topic="training",
        metavar="NAME=VALUE,…",
        help="shift=PIXELS, rotate=DEGREES, scale=SHARE, flip=CHANCE; or none."
        "  [default: by the data set; for folders shift, a tenth of the side]",
    ),
    option(
        "--validation",
        topic="data",
        type=float,
        help="Share of the training pictures used for validation.  [default: 0.1]",
    ),
    option(
        "--early-stop",
        topic="training",
        type=int,
        help="Stop after N epochs without an improvement in validation.",
    ),
    option("--seed", topic="training", type=int, default=0, show_default=True),
    dataset_reading_options,
)
"""The data set, its options, the network and the fields of the recipe."""


def recipe_of(dataset: str, seed: int, choices: dict[str, Any]) -> Recipe:
    """Return the data set's default recipe with the user's choices."""
    defaults = SOURCES[dataset].recipe if dataset in SOURCES else {}
    chosen = {name: value for name, value in choices.items() if value is not None}
    return Recipe(**{**defaults, **chosen, "seed": seed})


def unused_settings(recipe: Recipe, choices: dict[str, Any]) -> list[str]:
    """Return the given options that the chosen optimizer does not use."""
    known = {name for names in SETTINGS.values() for name in names}
    given = {name for name, value in choices.items() if value is not None}
    return sorted(f"--{name}" for name in known & given - set(SETTINGS[recipe.optimizer]))


def fitted_to(recipe: Recipe, train: Dataset, choices: dict[str, Any]) -> Recipe:
    """Adapt batch size and augmentation to the training set, unless the user chose them.

    Small sets get small batches. Pictures of a folder, whose objects may be anywhere, are shifted
    by up to a tenth of their side.
    """
    fitted: dict[str, Any] = {}
    if choices.get("batch_size") is None:
        fitted["batch_size"] = min(recipe.batch_size, batch_size_for(len(train)))
    shift = min(train.images.shape[1:3]) // 10
    if choices.get("augment") is None and train.names and shift:
        fitted["augment"] = f"shift={shift}"
    return replace(recipe, **fitted)


def arch_of(dataset: str, arch: str | None) -> str:
    """Return the chosen architecture, or the data set's default."""
    return arch or (SOURCES[dataset].arch if dataset in SOURCES else "small")
