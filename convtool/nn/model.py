"""The network: a sequence of layers."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from convtool.arrays import adopt
from convtool.errors import ConvtoolError, DatasetError, ModelError, OptionError, check_choice
from convtool.nn._types import Array, Arrays, Shape
from convtool.nn.arguments import real, whole
from convtool.nn.compiled import covered, plan_for
from convtool.nn.layers import Conv2D, Layer, Sigmoid, Softmax
from convtool.nn.layers.base import output_of
from convtool.nn.losses import Loss
from convtool.nn.optimizers import Optimizer
from convtool.nn.preprocessing import Preprocessing
from convtool.nn.tasks import TASKS

if TYPE_CHECKING:
    from convtool.nn.compiled import StepPlan

ENGINES = ("auto", "numpy")
_PREDICT_BATCH = 128
_WORTH_COMPILING = 512


def _shape(shape: Shape) -> Shape:
    if len(shape) not in (1, 3):
        raise OptionError(f"input_shape {tuple(shape)}: (channels, height, width) or (features,)")
    return tuple(whole(size, "input_shape") for size in shape)


class Sequential:
    """A network that applies layers in sequence.

    Parameters
    ----------
    layers : iterable of Layer
    input_shape : (C, H, W) or (F,), optional
        The shape of one input. If given, the constructor checks that the layers fit together.
    task : "multiclass", "binary" or "regression"
        How the outputs are interpreted: through a softmax, one sigmoid, or unchanged. The last
        layer returns logits, which the losses expect.
    classes : sequence of str
        The class names, if there are any.
    preprocessing : Preprocessing, optional
        Converts pictures to inputs.
    engine : "auto" or "numpy"
        Whether :meth:`train_step` may use the compiled step. Both agree up to rounding.
    threads : int, optional
        Number of threads of the compiled step, 1 to 1024; by default ``CONVTOOL_NUM_THREADS``,
        else one per core.

    Attributes
    ----------
    record : dict
        Facts about the training that the model's file stores (JSON values).
    last_outputs : ndarray
        The outputs that the last :meth:`train_step` compared with its targets.

    Raises
    ------
    ModelError
        If the layers do not fit together. The message names the layer and both shapes.

    Examples
    --------
    >>> from convtool import nn
    >>> model = nn.Sequential(
    ...     [nn.Conv2D(1, 4, 3, rng=0), nn.ReLU(), nn.GlobalAvgPool2D(), nn.Dense(4, 2, rng=0)],
    ...     input_shape=(1, 8, 8),
    ... )
    >>> x, y = np.zeros((6, 1, 8, 8), "float32"), np.arange(6) % 2
    >>> round(model.train_step(x, y, nn.losses.CrossEntropy(), nn.optimizers.Adam()), 4)
    0.6931
    """

    def __init__(
        self,
        layers: Iterable[Layer],
        input_shape: Shape | None = None,
        *,
        task: str = "multiclass",
        classes: Sequence[str] = (),
        preprocessing: Preprocessing | None = None,
        engine: str = "auto",
        threads: int | None = None,
    ) -> None:
        self.layers = list(layers)
        if not self.layers:
            raise ModelError("a network needs at least one layer")
        check_choice("task", task, TASKS)
        check_choice("engine", engine, ENGINES)
        self.input_shape = None if input_shape is None else _shape(input_shape)
        self.task, self.classes, self.preprocessing = task, tuple(classes), preprocessing
        self.engine, self.threads = engine, threads
        self.record: dict[str, Any] = {}
        self.last_outputs = np.empty((0, 0), np.float32)
        self._plan: StepPlan | None = None
        if isinstance(self.layers[0], Conv2D):
            self.layers[0].needs_input_gradient = False
        if self.input_shape is not None:
            self.shapes(self.input_shape)

    def __getstate__(self) -> dict[str, Any]:
        """Return the state to pickle or copy: everything except the compiled step."""
        if self._plan is not None:
            self._plan.release()
            self._plan = None
        return self.__dict__

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """Return the output shape of each layer for inputs of one shape.

        Raises
        ------
        ModelError
            At the first layer that does not fit.
        """
        result = []
        shape = tuple(input_shape)
        for number, layer in enumerate(self.layers, 1):
            try:
                after = output_of(layer, shape)
            except ConvtoolError as error:
                name = type(layer).__name__
                raise ModelError(f"layer {number} ({name}) on input {shape}: {error}") from error
            shape = after
            result.append(shape)
        return result

    def parameters(self, *, trained_only: bool = False) -> Arrays:
        """Return all parameters as ``{"layer index.name": array}``."""
        return {
            f"{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.params.items()
            if not (trained_only and name in layer.frozen)
        }

    def states(self) -> Arrays:
        """Return all untrained arrays, named as in :meth:`parameters`."""
        return {
            f"{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.state.items()
        }

    def gradients(self) -> Arrays:
        """Return the gradients that the last :meth:`backward` set."""
        return {
            f"{number}.{name}": array
            for number, layer in enumerate(self.layers)
            for name, array in layer.grads.items()
        }

    def decayed(self) -> frozenset[str]:
        """Return the parameters that L2 and weight decay apply to: weights, never biases."""
        return frozenset(
            name for name in self.parameters(trained_only=True) if name.endswith(".weight")
        )

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the outputs of a batch, layer by layer in NumPy."""
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, dy: Array) -> Array:
        """Set every layer's gradients; return that of the input (empty if none is needed)."""
        for layer in reversed(self.layers):
            dy = layer.backward(dy)
        return dy

    def train_step(
        self, x: Array, y: Array, loss: Loss, optimizer: Optimizer, *, l2: float = 0.0
    ) -> float:
        """Take one optimisation step on a batch.

        Parameters
        ----------
        x : ndarray, shape (N, C, H, W) or (N, F)
        y : ndarray, shape (N,), or (N, K) for regression
        loss : Loss
        optimizer : Optimizer
        l2 : float
            Adds ``l2 / 2`` times the sum of all squared weights (not biases) to the loss; at
            least 0.

        Returns
        -------
        float
            The loss before the step. If it is not finite, network and optimizer are unchanged,
            including running statistics and the counters of dropout.

        Raises
        ------
        DatasetError
            If the targets do not fit the outputs. Nothing has changed then.
        OptionError
            If `l2` is negative.
        """
        l2 = real(l2, "l2", 0)
        if self.engine == "auto":
            plan = self._compiled(x, loss, optimizer)
            if plan is not None:
                value = plan.train_step(x, y, loss, optimizer, l2)
                self.last_outputs = plan.outputs(len(x))
                return value
        return self._readable_step(x, y, loss, optimizer, l2)

    def _readable_step(
        self, x: Array, y: Array, loss: Loss, optimizer: Optimizer, l2: float
    ) -> float:
        before = {name: array.copy() for name, array in self.states().items()}
        value = np.nan
        try:
            value, dy = self._readable_loss(x, y, loss, l2)
        finally:
            if not np.isfinite(value):
                for name, array in self.states().items():
                    array[...] = before[name]
        if not np.isfinite(value):
            return value
        params, decayed = self.parameters(trained_only=True), self.decayed()
        self.backward(dy)
        grads = self.gradients()
        if l2:
            for name in decayed:
                grads[name] = grads[name] + l2 * params[name]
        optimizer.step(params, grads, decayed)
        return value

    def _readable_loss(self, x: Array, y: Array, loss: Loss, l2: float) -> tuple[float, Array]:
        """Return the training loss with the L2 term, and its gradient by the outputs."""
        self.last_outputs = self.forward(x, training=True)
        value, dy = loss.evaluate(self.last_outputs, y)
        if l2:
            weights = self.parameters(trained_only=True)
            squares = (
                float(np.square(weights[name]).sum(dtype=np.float64)) for name in self.decayed()
            )
            value += l2 / 2 * sum(squares)
        return value, dy

    def _compiled(self, x: Array, loss: Loss, optimizer: Optimizer) -> "StepPlan | None":
        if not covered(loss, optimizer):
            return None
        self._plan = plan_for(self, x.shape, self._plan)
        return self._plan

    def outputs(self, x: Array) -> Array:
        """Return the outputs (logits) of any number of inputs, computed in batches."""
        x = adopt(x, "x", "classified")
        if self.engine == "auto" and len(x) >= _WORTH_COMPILING and self._plan is None:
            self._plan = plan_for(self, (_PREDICT_BATCH, *x.shape[1:]), None)
        plan = self._plan
        block = plan.capacity if plan is not None else _PREDICT_BATCH
        parts = []
        for start in range(0, len(x), block):
            part = x[start : start + block]
            usable = plan is not None and plan.fits(part.shape) and plan.matches(self)
            parts.append(plan.forward(part) if plan and usable else self.forward(part))
        return np.concatenate(parts) if parts else np.empty((0, 1), np.float32)

    def predict_proba(self, x: Array) -> Array:
        """Return the probability of each class, shape (N, K); for regression the values."""
        outputs = self.outputs(x)
        if isinstance(self.layers[-1], Softmax):
            return outputs
        if isinstance(self.layers[-1], Sigmoid) and self.task == "binary":
            positive = outputs.reshape(-1)
            return np.stack([1 - positive, positive], axis=1)
        return TASKS[self.task].probabilities(outputs)

    def predict(self, x: Array) -> Array:
        """Return the index of the most probable class, shape (N,); for regression the values."""
        probabilities = self.predict_proba(x)
        if self.task == "regression":
            return probabilities
        result: Array = probabilities.argmax(axis=1)
        return result

    def predict_images(self, images: Array) -> Array:
        """Return the predicted class name (or index, without names) of each uint8 picture.

        Parameters
        ----------
        images : ndarray of uint8, shape (N, H, W) or (N, H, W, C)
            Pictures of any size; the model's preprocessing resizes them.
        """
        if self.preprocessing is None:
            raise ModelError("this model has no preprocessing: give it tensors, with predict")
        images = adopt(images, "images", "classified")
        if images.ndim not in (3, 4) or images.dtype != np.uint8:
            raise DatasetError(
                f"pictures are uint8 (N, H, W) or (N, H, W, C), not {images.dtype} {images.shape}"
            )
        pictures = [self.preprocessing.picture(image) for image in images]
        if not pictures:
            return np.empty(0, np.int64)
        labels = self.predict(self.preprocessing.tensor(np.stack(pictures)))
        return np.array(self.classes)[labels] if self.classes else labels

    def summary(self) -> str:
        """Return a table of layers, output shapes and parameter counts."""
        shapes: list[Any] = ["?"] * len(self.layers)
        if self.input_shape is not None:
            shapes = [" x ".join(map(str, shape)) for shape in self.shapes(self.input_shape)]
        rows = [
            (str(number), type(layer).__name__, str(shape), f"{sum(layer.count()):,}")
            for number, (layer, shape) in enumerate(zip(self.layers, shapes, strict=True), 1)
        ]
        header = ("layer", "kind", "output", "parameters")
        widths = [max(len(row[i]) for row in [header, *rows]) for i in range(4)]
        lines = [
            f"{a:>{widths[0]}}  {b:<{widths[1]}}  {c:<{widths[2]}}  {d:>{widths[3]}}"
            for a, b, c, d in [header, *rows]
        ]
        trained = sum(layer.count()[0] for layer in self.layers)
        fixed = sum(layer.count()[1] for layer in self.layers)
        return "\n".join([*lines, f"{trained:,} trained, {fixed:,} not"])
