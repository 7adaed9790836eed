"""Exported recognizers keep the contract, but for what fitting has to do with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pytest

from ferbench import registry
from ferbench.checks import Subject, iter_checks
from ferbench.data.dataset import Dataset
from ferbench.data.synthetic import load_synthetic
from ferbench.recognizers.base import Recognizer

FORMS = [
    *(("litert", "float32"), ("litert", "int8"), ("litert", "int8_dynamic")),
    *(("onnxruntime", "float32"), ("openvino", "float32")),
]
FITTING = {"same_seed_same_output", "refit_forgets", "fit_returns_self", "other_label_sets"}
CHECKS = {name: check for name, check in iter_checks() if name not in FITTING}


@dataclass(frozen=True)
class ExportedSubject(Subject):
    """Loaded, not fitted."""

    folder: Path = Path()

    @cached_property
    def fitted(self) -> Recognizer:
        return registry.load(self.folder)


@pytest.fixture(scope="module")
def faces() -> Dataset:
    return load_synthetic(n_train=21, n_validation=42, n_test=21, seed=1)


@pytest.fixture(scope="module", params=FORMS, ids="-".join)
def subject(request: pytest.FixtureRequest, exported: Callable[[str, str], Path], faces: Dataset) -> ExportedSubject:
    return ExportedSubject("exported", faces, exported(*request.param))


@pytest.mark.parametrize("check", CHECKS)
def test_contract(check: str, subject: ExportedSubject) -> None:
    CHECKS[check](subject)


def test_only_checks_that_fit_are_left_out() -> None:
    assert {name for name, _ in iter_checks()} >= FITTING
    assert len(CHECKS) >= 13
