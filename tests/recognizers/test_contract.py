"""Every registered recognizer keeps the contract: each name x each check."""

import os

import pytest

from ferbench import registry
from ferbench.checks import Subject, check_recognizer, iter_checks, subject
from ferbench.errors import ContractError, UnknownNameError
from ferbench.recognizers.prior import Prior

CHECKS = dict(iter_checks())
FITTED = [name for name in registry.names("recognizers") if name != "exported"]  # that one: tests/engines


@pytest.fixture(scope="module")
def subjects() -> dict[str, Subject]:
    return {}


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", FITTED)
def test_contract(name: str, check: str, subjects: dict[str, Subject]) -> None:
    if name not in subjects:
        subjects[name] = subject(name)
    CHECKS[check](subjects[name])


def test_all_checks_are_found() -> None:
    assert len(CHECKS) >= 15
    assert "recognizer" not in CHECKS


class Careless(Prior):
    """Breaks the contract in three ways."""

    name = "careless"

    def _predict_proba(self, images):
        if len(images) == 1:
            return super()._predict_proba(images)[:, ::-1].copy()
        return super()._predict_proba(images)

    def params(self):
        return {"sed": self.seed}

    def _fit(self, images, labels, **keywords):
        super()._fit(images, labels + 0, **keywords)
        self.frequencies_ = self.frequencies_ + (os.getpid() % 7 == 8)
        self.frequencies_[0] += 0.5
        self.frequencies_ /= self.frequencies_.sum()


def test_checks_catch_a_careless_recognizer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_added", {"recognizers": {"careless": Careless}})
    failed = {outcome.check for outcome in check_recognizer("careless") if outcome.failure}
    assert {"one_by_one_equals_batch", "params_round_trip", "save_load"} <= failed
    assert "empty_batch" not in failed


def test_unknown_name_and_one_that_cannot_fit_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Prior):
        def _fit(self, *arguments, **keywords):
            raise ZeroDivisionError("oh")

    monkeypatch.setattr(registry, "_added", {"recognizers": {"broken": Broken}})
    with pytest.raises(UnknownNameError):
        check_recognizer("nothing")
    with pytest.raises(ContractError, match=r"'broken' cannot be fitted.*ZeroDivisionError: oh"):
        check_recognizer("broken")
