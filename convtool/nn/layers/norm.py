"""The batch normalisation layer."""

from functools import partial
from types import MappingProxyType

import numpy as np

from convtool.errors import ShapeError
from convtool.nn._types import Array, Shape
from convtool.nn.arguments import float_type, real, size
from convtool.nn.layers.base import Layer
from convtool.nn.operations.normalization import batch_statistics, normalize, normalize_backward

_momentum = partial(real, low=0, high=1)
_epsilon = partial(real, low=0)


class BatchNorm(Layer):
    """Normalise each channel to mean 0 and variance 1, then apply a trained scale and shift.

    Training uses the statistics of the batch, inference the running statistics.

    Parameters
    ----------
    features : int
        Channels of (N, C, H, W), or columns of (N, C).
    momentum : float
        The weight of each batch in the running statistics (PyTorch's definition); the running
        variance uses the unbiased estimate.
    epsilon : float
        Added to the variance.
    dtype : str

    Raises
    ------
    OptionError
        If `features` is below 1, `momentum` not from 0 to 1, or `epsilon` negative.
    """

    ARGUMENTS = MappingProxyType({"features": size, "momentum": _momentum, "epsilon": _epsilon})
    features: int
    momentum: float
    epsilon: float

    def __init__(
        self, features: int, momentum: float = 0.1, epsilon: float = 1e-5, *, dtype: str = "float32"
    ) -> None:
        super().__init__(features=features, momentum=momentum, epsilon=epsilon)
        features, dtype = self.features, float_type(dtype)
        self._params = {"gamma": np.ones(features, dtype), "beta": np.zeros(features, dtype)}
        self._state = {"mean": np.zeros(features, dtype), "variance": np.ones(features, dtype)}

    def array_shapes(self) -> dict[str, Shape]:
        """Return the shapes of scale, shift and running statistics."""
        return dict.fromkeys(("gamma", "beta", "mean", "variance"), (self.features,))

    def forward(self, x: Array, training: bool = False) -> Array:
        """Return the normalised batch, of the input's shape."""
        self.output_shape(x.shape[1:])
        params, state = self.params, self.state
        self._training = training
        if training:
            count = x.size // x.shape[1]
            if count < 2:
                raise ShapeError("batch normalisation needs more than one value a channel to train")
            mean, self._variance = batch_statistics(x)
            state["mean"] += self.momentum * (mean - state["mean"])
            unbiased = self._variance * (count / (count - 1))
            state["variance"] += self.momentum * (unbiased - state["variance"])
        else:
            mean, self._variance = state["mean"], state["variance"]
        y, self._xhat = normalize(
            x, mean, self._variance, params["gamma"], params["beta"], self.epsilon
        )
        return y

    def backward(self, dy: Array) -> Array:
        """Set the gradients of scale and shift; return that of the input."""
        dx, dgamma, dbeta = normalize_backward(
            dy,
            self._xhat,
            self._variance,
            self.params["gamma"],
            self.epsilon,
            training=self._training,
        )
        self.grads = {"gamma": dgamma, "beta": dbeta}
        return dx

    def output_shape(self, shape: Shape) -> Shape:
        """Return the same shape."""
        if shape[0] != self.features:
            raise ShapeError(
                f"batch normalisation is made for {self.features} channels, its input has {shape}"
            )
        return shape
