"""Robustness: every recognizer sees the same validation faces, and figures say with how much certainty."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ferbench import registry, robustness
from ferbench.cli import main
from ferbench.corruptions import SEVERITIES, STRENGTHS, corrupt
from ferbench.data.dataset import Dataset, Split
from ferbench.data.synthetic import load_synthetic
from ferbench.errors import ConfigError, DataError, UnknownNameError
from ferbench.recognizers.classical.hog_svm import HogSvm
from ferbench.recognizers.prior import Prior
from ferbench.report.flat import robustness_metrics
from ferbench.report.robustness import read_robustness, robustness_section, write_robustness
from ferbench.robustness import RobustnessResult, measure_robustness


@pytest.fixture(scope="module")
def folders(tiny: Dataset, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("trained")
    for recognizer in (Prior(), HogSvm(c=(0.1,))):
        recognizer.fit(tiny.train.images, tiny.train.labels).save(folder / recognizer.name)
    return [folder / "prior", folder / "hog_svm"]


@pytest.fixture(scope="module")
def found(folders: list[Path]) -> RobustnessResult:
    return measure_robustness(folders, "synthetic", n_faces=70)


def test_every_corruption_and_severity_is_scored(found: RobustnessResult) -> None:
    assert [run.recognizer.experiment for run in found.runs] == ["prior", "hog_svm"]
    for run in found.runs:
        assert {name: len(row) for name, row in run.corrupted.items()} == dict.fromkeys(STRENGTHS, len(SEVERITIES))
        shares = [share for row in run.corrupted.values() for share in row]
        assert all(0 <= share.low <= share.value <= share.high <= 1 for share in shares)
        assert run.mean_corrupted.value == pytest.approx(np.mean([share.value for share in shares]))
        assert np.mean([share.value for share in run.by_severity]) == pytest.approx(run.mean_corrupted.value)
        assert run.relative_drop.value == pytest.approx(1 - run.mean_corrupted.value / run.accuracy.value)
        assert run.relative_drop.low <= run.relative_drop.value <= run.relative_drop.high


def test_figures_are_those_of_the_recognizer_on_the_corrupted_faces(folders: list[Path]) -> None:
    whole = measure_robustness(folders[1:], "synthetic", seed=2)
    split = load_synthetic(seed=2).validation
    recognizer = registry.load(folders[1])
    seen = corrupt(split.images, "rotation", 4, seed=2)
    expected = float((recognizer.predict(seen).label_ids == split.labels).mean())
    assert whole.runs[0].corrupted["rotation"][3].value == pytest.approx(expected)
    assert whole.n_faces == whole.n_split == len(split)


def test_who_does_not_look_loses_nothing(found: RobustnessResult) -> None:
    prior = found.runs[0]
    assert prior.relative_drop.value == pytest.approx(0) and prior.mean_corrupted.value == prior.accuracy.value


def test_who_looks_loses_most_at_the_strongest(found: RobustnessResult) -> None:
    looking = found.runs[1]
    assert looking.by_severity[-1].value < looking.accuracy.value and looking.relative_drop.value > 0


def test_the_same_seed_gives_the_same_record(found: RobustnessResult, folders: list[Path]) -> None:
    again = measure_robustness(folders[1:], "synthetic", n_faces=70)
    assert again.pixels_sha256 == found.pixels_sha256 and again.runs[0] == found.runs[1]
    assert measure_robustness(folders[:1], "synthetic", n_faces=70, seed=1).pixels_sha256 != found.pixels_sha256


def test_validation_alone_is_read(folders: list[Path]) -> None:
    class Closed(Dataset):
        def with_classes(self, classes: tuple[str, ...]) -> Dataset:
            assert classes == self.classes
            return self

        def fingerprint(self) -> str:
            return "f" * 64

    drawn = load_synthetic(n_train=14, n_validation=14, n_test=14)
    closed = Closed(drawn.name, drawn.classes, drawn.train, drawn.validation, drawn.test, is_synthetic=True)
    object.__delattr__(closed, "test")

    def closed_faces(*, seed: int = 0) -> Dataset:
        return closed

    registry.add("datasets", "closed_for_tests", closed_faces)
    try:
        assert measure_robustness(folders[:1], "closed_for_tests").split == "validation"
    finally:
        registry._added["datasets"].pop("closed_for_tests")


def test_a_subset_takes_whole_groups() -> None:
    groups = np.repeat(np.arange(10), 3)
    split = Split(np.zeros((30, 4, 4), np.uint8), np.zeros(30, np.int64), np.arange(30), groups)
    for n, expected in ((30, 30), (29, 27), (12, 12), (3, 3)):
        taken = robustness._subset(split, n, 0)
        assert len(taken) == expected and set(np.bincount(taken.groups).tolist()) <= {0, 3}
        assert (np.diff(taken.rows) > 0).all()
    with pytest.raises(ConfigError, match="take more"):
        robustness._subset(split, 2, 0)


@pytest.mark.parametrize("n_faces", [0, -5])
def test_no_faces_are_refused(folders: list[Path], n_faces: int) -> None:
    with pytest.raises(ConfigError, match="at least 1"):
        measure_robustness(folders[:1], "synthetic", n_faces=n_faces)


def test_nobody_to_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match="at least one"):
        measure_robustness([], "synthetic")


def test_one_given_twice_is_refused(folders: list[Path]) -> None:
    with pytest.raises(ConfigError, match="given once"):
        measure_robustness([folders[0], folders[0]], "synthetic")


def test_several_sets_of_classes_are_refused(folders: list[Path], tiny: Dataset, tmp_path: Path) -> None:
    Prior().fit(tiny.train.images, tiny.train.labels % 2, classes=("anger", "fear")).save(tmp_path / "two")
    with pytest.raises(ConfigError, match="one set of classes at a time"):
        measure_robustness([folders[0], tmp_path / "two"], "synthetic")


def test_unknown_recognizer_is_refused() -> None:
    with pytest.raises(UnknownNameError, match="No trained recognizer"):
        measure_robustness(["nobody"], "synthetic")


def test_record_is_read_back_and_told(found: RobustnessResult, tmp_path: Path) -> None:
    path = write_robustness(found, tmp_path / "new")
    assert path.name == "synthetic.json" and read_robustness(path) == found
    section = robustness_section([found])
    (scores,) = [one for one in section.elements if getattr(one, "caption", "").startswith("Accuracy with")]
    assert scores.rows[0][0].text == "hog_svm seed0" and "synthetic faces" in scores.caption
    assert "69 of 350 validation faces" in scores.caption  # whole persons


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_faces": 0}, "n_faces"),
        ({"runs": ()}, "runs"),
        ({"strengths": {}}, "each of the 0 corruptions"),
        ({"strengths": {f"c{place}": (1.0,) for place in range(99)}}, "99 corruptions"),
        ({"split": "test"}, "split"),
    ],
)
def test_records_that_do_not_fit_are_refused(
    found: RobustnessResult, tmp_path: Path, change: dict[str, object], message: str
) -> None:
    path = write_robustness(found.model_copy(update=change), tmp_path)
    with pytest.raises(DataError, match=message):
        read_robustness(path)


@pytest.mark.parametrize("value", ["NaN", "1e308", "-0.5", "Infinity"])
def test_shares_that_are_none_are_refused(found: RobustnessResult, tmp_path: Path, value: str) -> None:
    path = write_robustness(found, tmp_path)
    text = path.read_text().replace(f"{found.runs[1].mean_corrupted.value}", value, 1)
    path.write_text(text)
    with pytest.raises(DataError):
        read_robustness(path)


def test_metrics_have_intervals_and_every_corruption(found: RobustnessResult) -> None:
    metrics = {
        name.removeprefix("robustness.synthetic."): value
        for name, value in robustness_metrics(found, found.runs[1]).items()
    }
    assert next(iter(metrics)) == "mean_corrupted", "Compare opens on the first"
    assert metrics["mean_corrupted_low"] <= metrics["mean_corrupted"] <= metrics["mean_corrupted_high"]
    assert {name for name in metrics if name.startswith("corruption.")} == {f"corruption.{name}" for name in STRENGTHS}
    assert all(np.isfinite(list(metrics.values())))


def test_command_writes_what_the_report_reads(folders: list[Path], tmp_path: Path, capsys) -> None:
    target = tmp_path / "robustness"
    arguments = [*map(str, folders), "--dataset", "synthetic", "--faces", "21", "--to", str(target)]
    assert main(["robustness", *arguments]) == 0
    assert "21 of" in capsys.readouterr().out and read_robustness(target / "synthetic.json").n_faces == 21


def test_command_that_cannot_write_says_so(folders: list[Path], tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("")
    arguments = [str(folders[0]), "--dataset", "synthetic", "--faces", "7", "--to", str(tmp_path / "file")]
    assert main(["robustness", *arguments]) == 2
    assert "choose another folder with --to" in " ".join(capsys.readouterr().err.split())
