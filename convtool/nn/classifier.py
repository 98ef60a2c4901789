"""A network in the shape of a scikit-learn classifier."""

import warnings
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError
from convtool.nn._types import Array
from convtool.nn.architectures import build_layers
from convtool.nn.model import Sequential
from convtool.nn.recipe import Recipe
from convtool.nn.schedules import SCHEDULES

_NAMES = (
    "arch",
    "epochs",
    "batch_size",
    "optimizer",
    "lr",
    "schedule",
    "l2",
    "image_shape",
    "seed",
)


class Classifier:
    """Train a network on arrays, with scikit-learn's methods.

    Parameters
    ----------
    arch : str
        A name in ``nn.architectures.ARCHITECTURES`` or a specification.
    epochs, batch_size : int
        The last pictures of an epoch, which fill no whole batch, make a smaller one.
    optimizer : str
    lr : float
        0 takes the optimiser's own default.
    schedule : str
    l2 : float
    image_shape : (H, W) or (H, W, C), optional
        How a row of X is a picture; rows without it are pictures one pixel high.
    seed : int

    Attributes
    ----------
    classes_ : ndarray
        The labels as they were given, sorted.
    model_ : Sequential
    n_features_in_ : int

    Examples
    --------
    >>> x = np.repeat(np.eye(2), 20, axis=0)
    >>> y = np.repeat(["left", "right"], 20)
    >>> model = Classifier(arch="dense 8, relu", lr=0.05, batch_size=8).fit(x, y)
    >>> model.predict(x[[0, 39]]).tolist()
    ['left', 'right']
    """

    _estimator_type = "classifier"

    def __init__(
        self,
        arch: str = "small",
        epochs: int = 30,
        batch_size: int = 64,
        optimizer: str = "adam",
        lr: float = 0.0,
        schedule: str = "cosine",
        l2: float = 0.0,
        image_shape: tuple[int, ...] | None = None,
        seed: int = 0,
    ) -> None:
        self.arch = arch
        self.epochs = epochs
        self.batch_size = batch_size
        self.optimizer = optimizer
        self.lr = lr
        self.schedule = schedule
        self.l2 = l2
        self.image_shape = image_shape
        self.seed = seed

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return {name: getattr(self, name) for name in _NAMES}

    def set_params(self, **params: Any) -> "Classifier":
        """Set constructor's arguments.

        Raises
        ------
        OptionError
            If a name is unknown.
        """
        for name, value in params.items():
            if name not in _NAMES:
                raise OptionError(f"Invalid parameter {name!r}: choose {', '.join(_NAMES)}")
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.get_params().items())
        return f"Classifier({arguments})"

    def __sklearn_tags__(self) -> Any:
        """Describe this estimator to scikit-learn."""
        from sklearn.utils import ClassifierTags, InputTags, Tags, TargetTags

        return Tags(
            estimator_type="classifier",
            target_tags=TargetTags(required=True),
            classifier_tags=ClassifierTags(),
            input_tags=InputTags(two_d_array=True, three_d_array=True),
        )

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether :meth:`fit` has been called."""
        return hasattr(self, "model_")

    def fit(self, X: Any, y: Any) -> "Classifier":
        """Learn.

        Parameters
        ----------
        X : array_like, shape (N, F), (N, H, W) or (N, H, W, C)
        y : array_like, shape (N,)
            Labels of any kind; at least two.

        Raises
        ------
        DatasetError
            If X or y is no such array, has NaN, or there is only one class.
        """
        recipe = Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer=self.optimizer,
            lr=self.lr,
            schedule=self.schedule,
            l2=self.l2,
            validation=0.0,
            seed=self.seed,
        )
        values = _numbers(X)
        labels = _labels(y, len(values))
        self.n_features_in_ = int(np.prod(values.shape[1:]))
        self._shape = values.shape[1:]
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise DatasetError("y has only one class; a classifier needs at least 2 classes")
        self._mean = values.mean(dtype=np.float64)
        self._std = values.std(dtype=np.float64) or 1.0
        tensor = self._tensor(values)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        shape = tensor.shape[1:]
        layers = build_layers(self.arch, shape, outputs, self.seed)
        task = "binary" if outputs == 1 else "multiclass"
        self.model_ = Sequential(layers, shape, task=task)
        self._learn(recipe, tensor, numbers)
        return self

    def _learn(self, recipe: Recipe, tensor: Array, numbers: Array) -> None:
        loss, rule = recipe.make_loss(self.model_.task), recipe.make_optimizer()
        size = min(recipe.batch_size, len(tensor))
        starts = range(0, len(tensor), size)
        for epoch in range(recipe.epochs):
            order = np.random.default_rng([recipe.seed, epoch]).permutation(len(tensor))
            for number, start in enumerate(starts):
                index = order[start : start + size]
                if len(index) < min(2, len(tensor)):
                    continue
                done = (epoch * len(starts) + number) / (recipe.epochs * len(starts))
                rule.lr = recipe.rate * SCHEDULES[recipe.schedule](done)
                self.model_.train_step(tensor[index], numbers[index], loss, rule, l2=recipe.loss_l2)

    def _tensor(self, values: Array) -> Array:
        """Return pictures as (N, C, H, W), brought to mean 0 and deviation 1."""
        if values.ndim == 2:
            shape = tuple(self.image_shape or (1, values.shape[1]))
            if int(np.prod(shape)) != values.shape[1]:
                raise DatasetError(f"rows of {values.shape[1]} numbers are no pictures of {shape}")
            values = values.reshape(len(values), *shape)
        planes = values[:, None] if values.ndim == 3 else values.transpose(0, 3, 1, 2)
        scaled: Array = (planes - self._mean) / self._std
        return np.ascontiguousarray(scaled, np.float32)

    def _prepared(self, X: Any) -> Array:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("this Classifier is not fitted yet: call fit first")
        values = _numbers(X)
        if values.shape[1:] != self._shape:
            count = int(np.prod(values.shape[1:]))
            raise DatasetError(
                f"X has {count} features, but Classifier is expecting {self.n_features_in_}"
                " features as input"
            )
        return self._tensor(values)

    def predict_proba(self, X: Any) -> Array:
        """Return the probability of each class, shape (N, K), in the order of ``classes_``."""
        tensor = self._prepared(X)
        return self.model_.predict_proba(tensor)

    def predict(self, X: Any) -> Array:
        """Return the most probable label of each picture, shape (N,)."""
        tensor = self._prepared(X)
        result: Array = self.classes_[self.model_.predict_proba(tensor).argmax(axis=1)]
        return result

    def score(self, X: Any, y: Any) -> float:
        """Return the share of pictures whose label is found."""
        return float((self.predict(X) == np.asarray(y)).mean())


def _numbers(values: Any) -> Array:
    if hasattr(values, "toarray"):
        raise DatasetError("X is sparse: pictures are dense arrays, use X.toarray()")
    array = np.asarray(values)
    if array.dtype.kind == "c":
        raise DatasetError("Complex data not supported: pictures are real numbers")
    if array.dtype.kind in "OUS":
        array = array.astype(np.float64)
    if array.ndim == 1:
        raise DatasetError("Expected 2D array, got 1D array instead. Reshape your data")
    if array.ndim not in (2, 3, 4):
        raise DatasetError(f"X of shape {array.shape} is neither rows nor pictures")
    if not len(array):
        raise DatasetError(f"Found array with 0 sample(s) (shape={array.shape})")
    if not np.prod(array.shape[1:]):
        raise DatasetError(
            f"Found array with 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
        )
    if not np.isfinite(array).all():
        raise DatasetError("X has NaN or infinity")
    return array


def _labels(values: Any, count: int) -> Array:
    if values is None:
        raise DatasetError("this Classifier requires y to be passed, but the target y is None")
    array = np.asarray(values)
    if array.ndim == 2 and array.shape[1] == 1:
        from sklearn.exceptions import DataConversionWarning

        warnings.warn(
            "A column-vector y was passed when a 1d array was expected",
            DataConversionWarning,
            stacklevel=3,
        )
        array = array[:, 0]
    if array.shape != (count,):
        raise DatasetError(f"y of shape {array.shape} for {count} pictures: lengths differ")
    if array.dtype.kind == "f":
        if not np.isfinite(array).all():
            raise DatasetError("y has NaN or infinity")
        if (array != array.astype(np.int64)).any():
            raise DatasetError("Unknown label type: continuous numbers are not classes")
    return array
