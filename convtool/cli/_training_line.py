"""The progress of a training, on a terminal only."""

from convtool.cli._progress import Bar
from convtool.nn.history import BatchReport
from convtool.progress import Advance


class ProgressLine:
    """Shows the share of batches that are done, and the scores so far."""

    def __init__(self) -> None:
        self._bar = Bar(
            text=lambda done, seconds: f"{self._text}  {done / seconds:.3g} batches/s", kept=True
        )
        self._advance: Advance | None = None
        self._text = ""

    def __call__(self, report: BatchReport) -> None:
        """Show where the training stands."""
        self._text = report_text(report)
        if self._advance is None:
            epochs_left = report.epochs - report.epoch + 1
            self._advance = self._bar(epochs_left * report.batches - report.batch + 1)
        self._advance(1)

    def close(self) -> None:
        """Leave the line."""
        self._bar.close()


def report_text(report: BatchReport) -> str:
    """Return the text for one moment.

    Examples
    --------
    >>> report_text(BatchReport(2, 3, 5, 9, 0.25, 0.5, None))
    'epoch 2/3  loss 0.2500  accuracy 50.00%  validation -'
    """
    last = report.last.validation_accuracy if report.last is not None else None
    return (
        f"epoch {report.epoch}/{report.epochs}  loss {report.loss:.4f}"
        f"  accuracy {report.accuracy:.2%}  validation {'-' if last is None else f'{last:.2%}'}"
    )
