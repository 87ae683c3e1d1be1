"""What can go wrong in the detector.

DetectorError
├── DetectorUnavailable (ConnectionError)   the detection server does not answer; worth a retry
│   └── ModelNotServed                      it answers, but has no such model, or not yet
├── ModelMissing (FileNotFoundError)        no exported model on disk
├── ModelUnusable (ValueError)              a model that somebody plugged in does not fit
├── BadDetectorAnswer (ValueError)          an answer of the wrong shape, dtype or range
│   └── RequestRefused                      no answer but a status such as INTERNAL
└── WeightsUnavailable (RuntimeError)       the weights cannot be fetched, or are others
"""

from __future__ import annotations

from pathlib import Path


class DetectorError(Exception):
    """Base of every error that this package raises on purpose.

    `retryable` says whether the same call may succeed later with nothing changed by hand. `brief`
    is the message for people: without what libraries say of it, which is for logs.
    """

    retryable: bool = False

    def __init__(self, message: str, brief: str = "") -> None:
        super().__init__(message)
        self.brief = brief or message


class DetectorUnavailable(DetectorError, ConnectionError):
    """The detection server at `address` did not answer in time or refused the connection."""

    retryable = True

    def __init__(self, address: str, reason: str, service: str = "detector") -> None:
        brief = f"the {service} at {address} is unavailable"
        super().__init__(f"{brief}: {reason}", brief)
        self.address = address
        self.reason = reason


class ModelNotServed(DetectorUnavailable):
    """The server at `address` answers, but no version of its model `name` is ready.

    `loads` says whether one is about to be. Either way it is for whoever runs the server to see to,
    and no fault of what was asked.
    """

    def __init__(
        self, address: str, name: str, reason: str, service: str = "detector", *, loads: bool
    ) -> None:
        state = "is still loading" if loads else "does not have"
        brief = f"the {service} at {address} {state} the model {name}"
        DetectorError.__init__(self, f"{brief}: {reason}" if reason else brief, brief)
        self.address = address
        self.reason = reason
        self.name = name
        self.loads = loads


class ModelMissing(DetectorError, FileNotFoundError):
    """The exported model is not at `path`, or what is there cannot be read."""

    def __init__(self, path: Path, reason: str = "not found") -> None:
        super().__init__(f"no model at {path} ({reason}): run `make setup`")
        self.path = path
        self.reason = reason


class ModelUnusable(DetectorError, ValueError):
    """A model that somebody plugged in cannot be used as it is."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(f"{path}: {reason}")
        self.path = path
        self.reason = reason


class BadDetectorAnswer(DetectorError, ValueError):
    """The detector, or the embedder, answered with something that is no such answer."""


class RequestRefused(BadDetectorAnswer):
    """The server at `address` refused the request with the gRPC status `status`."""

    def __init__(self, address: str, status: str, details: str, service: str = "detector") -> None:
        brief = f"the {service} at {address} refused: {status}"
        super().__init__(f"{brief}: {details}", brief)
        self.address = address
        self.status = status


class WeightsUnavailable(DetectorError, RuntimeError):
    """The pinned weights could not be fetched, or what was fetched is something else."""
