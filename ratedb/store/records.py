"""Metadata tables as SQLModel classes, for writing; a test compares them with schemas/migrations.

They are imported where something is written: reading needs neither SQLModel nor SQLAlchemy.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, JSON, Column, DateTime, Double, Integer, LargeBinary, Sequence, String
from sqlmodel import Field, SQLModel

from ratedb import __version__
from ratedb.origin import library_versions, now, user_name


def _column(of: Any, nullable: bool = False, **default: Any) -> Any:
    return Field(sa_column=Column(of, nullable=nullable), **default)


def _key(sequence: str) -> Any:
    return Field(default=None, sa_column=Column(Integer, Sequence(sequence), primary_key=True))


def _integers() -> Any:
    return _column(ARRAY(Integer))


def _labels() -> Any:
    return _column(ARRAY(String), nullable=True, default=None)


def _time() -> Any:
    return _column(DateTime, default_factory=now)


def _versions() -> Any:
    return _column(JSON, default_factory=library_versions)


class LevelSetRow(SQLModel, table=True):
    """The levels and lines of a molecule as one file gave them."""

    __tablename__ = "level_set"
    level_set_id: int | None = _key("level_set_ids")
    molecule: str
    molecular_weight: float | None = _column(Double, nullable=True, default=None)
    content_sha256: str
    file_name: str
    file_sha256: str
    imported_at: datetime = _time()


class ModelRow(SQLModel, table=True):
    """A fitted predictor; models/record.py describes its values."""

    __tablename__ = "model"
    model_id: int | None = _key("model_ids")
    system_id: int
    engine: str
    kernel: str
    features: str
    train_j: list[int] = _integers()
    validate_j: list[int] = _integers()
    target_j: list[int] = _integers()
    training_sha256: str
    training_source_ids: list[int] = _integers()
    criterion: str
    seed: int
    validation: dict[str, Any] = _column(JSON)
    tried: list[dict[str, Any]] = _column(JSON)
    seconds: float = _column(Double)
    state: dict[str, Any] = _column(JSON)
    arrays: bytes = _column(LargeBinary)
    trained_at: datetime = _time()
    ratedb_version: str = __version__
    library_versions: dict[str, str] = _versions()
    train_units: list[str] | None = _labels()
    validate_units: list[str] | None = _labels()


class CorpusSystemRow(SQLModel, table=True):
    """A system in the store's own corpus, or that it is no longer; models/corpus/own.py describes `state`."""

    __tablename__ = "corpus_system"
    corpus_system_id: int | None = _key("corpus_system_ids")
    system_id: int
    action: str
    rates_sha256: str
    source_ids: list[int] = _integers()
    state: dict[str, Any] = _column(JSON)
    changed_at: datetime = _time()
    ratedb_version: str = __version__
    library_versions: dict[str, str] = _versions()


class SourceRow(SQLModel, table=True):
    """Where values come from: one partner of one file, or one use of a model."""

    __tablename__ = "source"
    source_id: int | None = _key("source_ids")
    system_id: int
    kind: str
    method: str
    reference: str
    file_name: str | None = None
    file_sha256: str | None = None
    level_set_id: int | None = None
    model_id: int | None = None
    warnings: list[str] = _column(JSON)
    imported_at: datetime = _time()
    ratedb_version: str = __version__
    library_versions: dict[str, str] = _versions()
    user_name: str | None = _column(String, nullable=True, default_factory=user_name)
    comment: str | None = None
