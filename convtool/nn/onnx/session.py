"""An ONNX file run by onnxruntime, with the interface of a network."""

from pathlib import Path

import numpy as np

from convtool.convolution.threads import count as count_threads
from convtool.errors import ModelFileError
from convtool.extras import need
from convtool.nn._types import Array
from convtool.nn.onnx.metadata import about
from convtool.nn.onnx.parse import check_sizes, checked_proto, read_proto

_BATCH = 256
_FATAL_ONLY = 4


class OnnxNetwork:
    """A network in an ONNX file that convtool wrote, run by onnxruntime.

    Parameters
    ----------
    content : bytes
        The file.
    place : str
        Its name, for errors.

    Attributes
    ----------
    task : str
    classes : tuple of str
    preprocessing : Preprocessing or None

    Raises
    ------
    ModelFileError
        If the file is damaged, or contains no classes and preprocessing.
    OptionError
        If ONNX or onnxruntime is not installed.
    """

    def __init__(self, content: bytes, place: str) -> None:
        need("onnx", "onnx", "onnxruntime")
        import onnxruntime

        proto = checked_proto(content, place)
        known = about({entry.key: entry.value for entry in proto.metadata_props}, place)
        if known is None:
            raise ModelFileError(
                f"{place}: an ONNX file without convtool's preprocessing and classes; convtool"
                " import makes a model of it"
            )
        check_sizes(proto, place)
        self.task, self.classes, self.preprocessing = known.task, known.classes, known.preprocessing
        self._place = place
        options = onnxruntime.SessionOptions()
        options.log_severity_level = _FATAL_ONLY
        options.intra_op_num_threads = count_threads()
        try:
            self._session = onnxruntime.InferenceSession(
                content, options, providers=["CPUExecutionProvider"]
            )
        except _refusals() as error:
            raise ModelFileError(f"{place}: onnxruntime refuses it: {_line(error)}") from error
        try:
            self._check_ends()
        except UnicodeDecodeError as error:
            raise ModelFileError(f"{place}: damaged: a name that is no text") from error

    def _check_ends(self) -> None:
        """Check that the graph's input and output match the metadata."""
        inputs, outputs = self._session.get_inputs(), self._session.get_outputs()
        if len(inputs) != 1 or len(outputs) != 1:
            raise ModelFileError(
                f"{self._place}: {len(inputs)} inputs and {len(outputs)} outputs, not one of each"
            )
        self._name = inputs[0].name
        p = self.preprocessing
        takes = inputs[0].shape[1:]
        if inputs[0].type != "tensor(float)" or (
            p is not None and takes != [p.channels, p.height, p.width]
        ):
            raise ModelFileError(
                f"{self._place}: damaged: its graph takes {inputs[0].type} {takes}, not what its"
                " preprocessing makes"
            )

    def predict_proba(self, x: Array) -> Array:
        """Return each class's probability, shape (N, K); for a regression the values.

        Parameters
        ----------
        x : ndarray of float32, shape (N, C, H, W)

        Raises
        ------
        ModelFileError
            If the graph fails, or returns another number of classes.
        """
        parts = []
        for start in range(0, len(x), _BATCH):
            part = x[start : start + _BATCH]
            try:
                outputs = self._session.run(None, {self._name: np.ascontiguousarray(part)})[0]
            except _refusals() as error:
                raise ModelFileError(f"{self._place}: onnxruntime fails: {_line(error)}") from error
            parts.append(np.asarray(outputs))
        result: Array = np.concatenate(parts)
        wrong = self.task != "regression" and (
            result.ndim != 2 or (self.classes and result.shape[1] != len(self.classes))
        )
        if wrong or len(result) != len(x):
            raise ModelFileError(
                f"{self._place}: damaged: {result.shape} probabilities for {len(x)} pictures and"
                f" {len(self.classes)} classes"
            )
        return result


def open_network(path: Path) -> OnnxNetwork:
    """Open the network of an ONNX file; see :class:`OnnxNetwork`."""
    return OnnxNetwork(read_proto(path).SerializeToString(), str(path))


def _refusals() -> tuple[type[Exception], ...]:
    """Return the exceptions that onnxruntime raises, which have no common base class."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type)]
    return (RuntimeError, *(kind for kind in own if issubclass(kind, Exception)))


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
