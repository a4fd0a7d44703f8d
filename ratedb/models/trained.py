"""What `train` returns for a model of v and j."""

from __future__ import annotations

from dataclasses import dataclass

from ratedb.models.candidates import Tried
from ratedb.models.metrics import Metrics
from ratedb.results import Result


@dataclass(frozen=True, repr=False)
class TrainResult(Result):
    """A stored model and how it was chosen; `model_id` is None after a dry run."""

    model_id: int | None
    system: str
    kernel: str
    features: str
    mean: str
    prior: str | None
    engine: str
    train_j: tuple[int, ...]
    validate_j: tuple[int, ...]
    target_j: tuple[int, ...]
    training_transitions: int
    validation: Metrics
    seconds: float
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...]

    def summary(self) -> str:
        """Return the model, its system, and its error on the validation j."""
        return f"model {self.model_id} of {self.system}, validation {self.validation.dex_rms:.3f} dex rms"
