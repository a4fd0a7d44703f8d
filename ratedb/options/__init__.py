"""The options of every verb, declared once: name, default, help, and how a text is read.

Methods of Database take them as keywords, commands as `--name`; the verb gets one frozen object.
"""

from __future__ import annotations

from ratedb.options.derived import DeriveOptions, MixOptions
from ratedb.options.models import CorpusOptions, EvaluateOptions, FillOptions, TrainOptions
from ratedb.options.planning import NextOptions, PlanOptions, ReproduceOptions
from ratedb.options.results import (
    CiteOptions,
    DemoOptions,
    DoctorOptions,
    ExportOptions,
    ImpactOptions,
    LinesOptions,
    ReportOptions,
    SqlOptions,
    VerifyOptions,
)
from ratedb.options.sharing import BackupOptions, MergeOptions, PublishOptions, ServeOptions
from ratedb.options.sources import CheckOptions, CompareOptions, ImportOptions, RepairOptions, SourcesOptions
from ratedb.options.values import Progress, silent

__all__ = [
    "BackupOptions",
    "CheckOptions",
    "CiteOptions",
    "CompareOptions",
    "CorpusOptions",
    "DemoOptions",
    "DeriveOptions",
    "DoctorOptions",
    "EvaluateOptions",
    "ExportOptions",
    "FillOptions",
    "ImpactOptions",
    "ImportOptions",
    "LinesOptions",
    "MergeOptions",
    "MixOptions",
    "NextOptions",
    "PlanOptions",
    "Progress",
    "PublishOptions",
    "RepairOptions",
    "ReportOptions",
    "ReproduceOptions",
    "ServeOptions",
    "SourcesOptions",
    "SqlOptions",
    "TrainOptions",
    "VerifyOptions",
    "silent",
]
