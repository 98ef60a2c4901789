"""A network with the interface of a scikit-learn classifier."""

from collections.abc import Mapping
from inspect import signature
from typing import Any

import numpy as np

from convtool.errors import DatasetError, OptionError, TrainingError
from convtool.nn._types import Array, Arrays
from convtool.nn.architectures import build_layers
from convtool.nn.history import Epoch, State, put_back, snapshot
from convtool.nn.losses import Loss
from convtool.nn.metrics import Scores, score_predictions
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
        The last batch of an epoch may be smaller.
    optimizer : str or Optimizer
        A name in ``nn.optimizers.OPTIMIZERS``, or an optimiser. Training uses a new optimiser with
        the same settings and leaves the given one unchanged.
    lr : float
        The peak learning rate; 0 takes the optimiser's default.
    schedule : str
        A name in ``nn.schedules.SCHEDULES``.
    l2 : float
        ``l2 / 2`` times the squared weights is added to the loss.
    image_shape : (H, W), (H, W, C) or (C, H, W), optional
        The shape that each row of X is reshaped to. By default a row is a picture one pixel high.
    channel_axis : int, optional
        The channel axis of a four-dimensional X: 1 for (N, C, H, W), -1 for (N, H, W, C). By
        default the one of the two with 1 to 4 entries; if both or neither qualify, :meth:`fit`
        raises an error that asks for this argument.
    class_weight : dict or "balanced", optional
        The weight of each class in the loss; "balanced" gives each class the same total weight.
    seed : int

    Attributes
    ----------
    classes_ : ndarray
        The sorted labels; for one-hot labels the column indices.
    history_ : list of Epoch
        Training and validation loss and accuracy of each epoch.
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
        """Set constructor arguments.

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
        """Return whether :meth:`fit` has been called."""
        return hasattr(self, "model_")

    def fit(
        self,
        X: Any,
        y: Any,
        sample_weight: Any = None,
        validation_data: tuple[Any, Any] | None = None,
    ) -> "Classifier":
        """Train on labelled pictures.

        With `validation_data` the model keeps the weights of the epoch with the best validation
        score, otherwise those of the last epoch.

        Parameters
        ----------
        X : array_like, shape (N, F), (N, H, W), (N, H, W, C) or (N, C, H, W)
        y : array_like, shape (N,) or (N, K)
            Labels of any type with at least two distinct values, or one-hot rows.
        sample_weight : array_like, shape (N,), optional
            The weight of each picture. An integer repeats the picture that many times (see
            :func:`convtool.nn.samples.training_order`); other weights scale its loss, and only
            their ratios matter.
        validation_data : (X, y), optional
            The validation set; the history contains its loss and accuracy.

        Raises
        ------
        DatasetError
            If X or y has another shape or contains NaN, if there is only one class, or if the
            channel axis is ambiguous.
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
        validation = None if validation_data is None else self._validation_set(*validation_data)
        outputs = 1 if len(self.classes_) == 2 else len(self.classes_)
        shape = tensor.shape[1:]
        layers = build_layers(self.arch, shape, outputs, self.seed)
        task = "binary" if outputs == 1 else "multiclass"
        self.model_ = Sequential(layers, shape, task=task)
        self._learn(recipe, rule, tensor, targets, weights, validation)
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
        """Return the pictures' weights with mean 1, or None if all are equal."""
        weights = given
        if self.class_weight is not None:
            weights = given * self._class_weights(targets)[targets]
        if (weights == weights[0]).all():
            return None
        scaled: Array = weights / weights.mean()
        return scaled

    def _class_weights(self, targets: Array) -> Array:
        """Return the weight of each class."""
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

    def _validation_set(self, X: Any, y: Any) -> tuple[Array, Array]:
        """Return the tensor and the class indices of validation data."""
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
        validation: tuple[Array, Array] | None,
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
                rule.lr = recipe.rate * SCHEDULES[recipe.schedule](done, state.monitored_losses())
                loss: Loss = plain if weights is None else Weighted(plain, weights[index])
                value = self.model_.train_step(
                    tensor[index], targets[index], loss, rule, l2=recipe.loss_l2
                )
                if not np.isfinite(value):
                    raise TrainingError(
                        f"the loss is no longer finite in epoch {epoch + 1}: choose a smaller lr"
                        f" than {recipe.rate:g}"
                    )
                state.add_batch(value, self.model_.last_outputs, targets[index])
            if state.end_epoch(self._validation_scores(validation), rule.lr):
                best = snapshot(self.model_)
        put_back(self.model_, best)
        self.history_: list[Epoch] = state.history

    def _validation_scores(self, validation: tuple[Array, Array] | None) -> Scores | None:
        if validation is None:
            return None
        return score_predictions(self.model_.predict_proba(validation[0]), validation[1])

    def _tensor(self, values: Array) -> Array:
        """Return pictures as (N, C, H, W), normalised to mean 0 and standard deviation 1."""
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
        """Return the accuracy on labelled pictures; labels as for :meth:`fit`."""
        predicted = self.predict(X)
        classes, targets = labels(y, len(predicted))
        return float((predicted == classes[targets]).mean())


_NAMES = tuple(signature(Classifier).parameters)
