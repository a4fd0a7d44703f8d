"""A fitted predictor as a store keeps it: data, never code."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ratedb import __version__
from ratedb.origin import library_versions, now


@dataclass(frozen=True, kw_only=True)
class Model:
    """A fitted predictor with the training set it comes from; `model_id` is None before it is stored.

    `train_units` and `validate_units` name the initial states of a model of tops or pairs, which has no j.
    `state` has plain JSON values and `arrays` is a NumPy .npz without objects; models/storage.py reads them.
    `seconds` is the time that training took; `trained_at` is UTC.
    """

    system_id: int
    engine: str
    kernel: str
    features: str
    train_j: list[int]
    validate_j: list[int]
    target_j: list[int]
    training_sha256: str
    training_source_ids: list[int]
    criterion: str
    seed: int
    validation: dict[str, Any]
    tried: list[dict[str, Any]]
    seconds: float
    state: dict[str, Any]
    arrays: bytes
    model_id: int | None = None
    trained_at: datetime = field(default_factory=now)
    ratedb_version: str = __version__
    library_versions: dict[str, str] = field(default_factory=library_versions)
    train_units: list[str] | None = None
    validate_units: list[str] | None = None
