"""Owns what a log line may say: where something failed, never with which values."""

import logging
import traceback
from types import TracebackType


class Discreet(logging.Formatter):
    """The kind of an error and its way through the code. Its message is left out: a database's holds the whole row."""

    def formatException(
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        kind, _error, trace = ei
        steps = "".join(f"\n  {step.filename}:{step.lineno} {step.name}" for step in traceback.extract_tb(trace))
        return f"{kind.__name__ if kind else 'error'}{steps}"
