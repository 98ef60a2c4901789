"""A network in the shape of a scikit-learn classifier."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError, TrainingError
from convtool.nn._types import Array, Arrays
from convtool.nn.architectures import build_layers
from convtool.nn.history import Epoch, State, put_back, snapshot
from convtool.nn.losses import Loss
from convtool.nn.metrics import Scores, judge
from convtool.nn.model import Sequential
from convtool.nn.optimizers import Optimizer
from convtool.nn.recipe import Recipe
from convtool.nn.samples import as_planes, labels, numbers, training_order
from convtool.nn.schedules import SCHEDULES
from convtool.nn.weighting import BALANCED, Weighted, class_weights, sample_weights


class Classifier:
    """Train a network on arrays, with scikit-learn's methods.

    Parameters
    ----------
    arch : str
        A name in ``nn.architectures.ARCHITECTURES`` or a specification.
    epochs, batch_size : int
        The last pictures of an epoch, which fill no whole batch, make a smaller one.
    optimizer : str or Optimizer
        A name in ``nn.optimizers.OPTIMIZERS``, or an optimiser; it is left as it is, the training
        takes a new one with its settings.
    lr : float
        The highest learning rate; 0 takes the optimiser's own.
    schedule : str
        A name in ``nn.schedules.SCHEDULES``.
    l2 : float
        ``l2 / 2`` times the squared weights is added to the loss.
    image_shape : (H, W), (H, W, C) or (C, H, W), optional
        How a row of X is a picture; rows without it are pictures one pixel high.
    channel_axis : int, optional
        Which axis of a four-dimensional X holds the channels: 1 for (N, C, H, W), -1 for
        (N, H, W, C). By default the one of the two that has 1 to 4 entries; where both or neither
        have, :meth:`fit` asks for this argument.
    class_weight : dict or "balanced", optional
        How much a picture of each label counts; "balanced" lets each class count the same.
    seed : int

    Attributes
    ----------
    classes_ : ndarray
        The labels as they were given, sorted; for one-hot labels the numbers of their columns.
    history_ : list of Epoch
        Loss and accuracy of each epoch, in training and in validation.
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
        optimizer: str | Optimizer = "adam",
        lr: float = 0.0,
        schedule: str = "cosine",
        l2: float = 0.0,
        image_shape: tuple[int, ...] | None = None,
        channel_axis: int | None = None,
        class_weight: Mapping[Any, float] | str | None = None,
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
        self.channel_axis = channel_axis
        self.class_weight = class_weight
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

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> "Classifier":
        """Learn.

        With `validation_data` the weights of the epoch that was best on it are kept, else the last.

        Parameters
        ----------
        X : array_like, shape (N, F), (N, H, W), (N, H, W, C) or (N, C, H, W)
        y : array_like, shape (N,) or (N, K)
            Labels of any kind, at least two; or one-hot rows, of which column k is class k.
        sample_weight : array_like, shape (N,), optional
            How much each picture counts. Whole numbers stand for that many copies of a picture
            (see :func:`convtool.nn.samples.training_order`); others scale its loss, and only their
            ratios matter.
        validation_data : (X, y), optional
            Pictures that are not learned from; the history has their loss and accuracy.

        Raises
        ------
        DatasetError
            If X or y is no such array, has NaN, or there is only one class; if it is not clear
            which axis holds the channels.
        TrainingError
            If the loss is no longer finite.
        """
        recipe, rule = self._recipe()
        values = numbers(X)
        if y is None:
            raise DatasetError("this Classifier requires y to be passed, but the target y is None")
        self.n_features_in_ = int(np.prod(values.shape[1:]))
        self._shape = values.shape[1:]
        self.classes_, targets = labels(y, len(values))
        given = None if sample_weight is None else sample_weights(sample_weight, len(values))
        places, given = training_order(values, targets, given)
        values, targets = values[places], targets[places]
        if len(np.unique(targets)) < 2:
            raise DatasetError("y has only one class; a classifier needs at least 2 classes")
        weights = self._weights(targets, given)
        self._mean = values.mean(dtype=np.float64)
        self._std = values.std(dtype=np.float64) or 1.0
        tensor = self._tensor(values)
        watched = None if validation_data is None else self._watched(*validation_data)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        shape = tensor.shape[1:]
        layers = build_layers(self.arch, shape, outputs, self.seed)
        task = "binary" if outputs == 1 else "multiclass"
        self.model_ = Sequential(layers, shape, task=task)
        self._learn(recipe, rule, tensor, targets, weights, watched)
        return self

    def _recipe(self) -> tuple[Recipe, Optimizer]:
        given = self.optimizer if isinstance(self.optimizer, Optimizer) else None
        if given is None and not isinstance(self.optimizer, str):
            raise OptionError(
                f"optimizer {self.optimizer!r}: a name or an optimiser of nn.optimizers"
            )
        recipe = Recipe(
            epochs=self.epochs,
            batch_size=self.batch_size,
            optimizer="sgd" if given is not None else str(self.optimizer),
            lr=self.lr or (given.lr if given is not None else 0.0),
            schedule=self.schedule,
            l2=self.l2,
            validation=0.0,
            seed=self.seed,
        )
        return recipe, recipe.make_optimizer() if given is None else given.fresh()

    def _weights(self, targets: Array, given: Array) -> Array | None:
        """Return how much each picture counts, 1 on average, or None if all count the same."""
        weights = given
        if self.class_weight is not None:
            weights = given * self._class_weights(targets)[targets]
        if (weights == weights[0]).all():
            return None
        scaled: Array = weights / weights.mean()
        return scaled

    def _class_weights(self, targets: Array) -> Array:
        """Return how much a picture of each class counts."""
        given, names = self.class_weight, [str(name) for name in self.classes_]
        if isinstance(given, str) and given == BALANCED:
            found = class_weights(BALANCED, names, targets)
            assert found is not None
            return found
        if not isinstance(given, Mapping):
            raise OptionError(f"class_weight {given!r}: 'balanced', or a weight for each label")
        unknown = [label for label in given if label not in self.classes_]
        if unknown:
            raise OptionError(f"class_weight: no label {unknown[0]!r}, there are {names}")
        return np.array([float(given.get(label, 1.0)) for label in self.classes_.tolist()])

    def _watched(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Return the tensor and the class numbers of validation data."""
        values = numbers(X)
        if values.shape[1:] != self._shape:
            raise DatasetError(
                f"validation_data has pictures of shape {values.shape[1:]}, X of {self._shape}"
            )
        classes, targets = labels(y, len(values))
        unknown = np.setdiff1d(classes, self.classes_)
        if len(unknown):
            raise DatasetError(
                f"validation_data has the label {unknown.tolist()[0]!r}, which y has not"
            )
        return self._tensor(values), np.searchsorted(self.classes_, classes)[targets]

    def _learn(
        self,
        recipe: Recipe,
        rule: Optimizer,
        tensor: Array,
        targets: Array,
        weights: Array | None,
        watched: tuple[Array, Array] | None,
    ) -> None:
        plain, state = recipe.make_loss(self.model_.task), State()
        best: Arrays = {}
        size = min(recipe.batch_size, len(tensor))
        starts = range(0, len(tensor), size)
        for epoch in range(recipe.epochs):
            order = np.random.default_rng([recipe.seed, epoch]).permutation(len(tensor))
            for number, start in enumerate(starts):
                index = order[start : start + size]
                if len(index) < min(2, len(tensor)):
                    continue
                done = (epoch * len(starts) + number) / (recipe.epochs * len(starts))
                rule.lr = recipe.rate * SCHEDULES[recipe.schedule](done, state.watched())
                loss: Loss = plain if weights is None else Weighted(plain, weights[index])
                value = self.model_.train_step(
                    tensor[index], targets[index], loss, rule, l2=recipe.loss_l2
                )
                if not np.isfinite(value):
                    raise TrainingError(
                        f"the loss is no longer finite in epoch {epoch + 1}: choose a smaller lr"
                        f" than {recipe.rate:g}"
                    )
                state.count(value, self.model_.last_outputs, targets[index])
            if state.end_epoch(self._judged(watched), rule.lr):
                best = snapshot(self.model_)
        put_back(self.model_, best)
        self.history_: list[Epoch] = state.history

    def _judged(self, watched: tuple[Array, Array] | None) -> Scores | None:
        if watched is None:
            return None
        return judge(self.model_.predict_proba(watched[0]), watched[1])

    def _tensor(self, values: Array) -> Array:
        """Return pictures as (N, C, H, W), brought to mean 0 and deviation 1."""
        planes = as_planes(values, self.image_shape, self.channel_axis)
        scaled: Array = (planes - self._mean) / self._std
        return np.ascontiguousarray(scaled, np.float32)

    def _prepared(self, X: Any) -> Array:
        if not self.__sklearn_is_fitted__():
            from sklearn.exceptions import NotFittedError

            raise NotFittedError("this Classifier is not fitted yet: call fit first")
        values = numbers(X)
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
        """Return the share of pictures whose label is found; labels as for :meth:`fit`."""
        predicted = self.predict(X)
        classes, targets = labels(y, len(predicted))
        return float((predicted == classes[targets]).mean())


_NAMES = tuple(signature(Classifier).parameters)
