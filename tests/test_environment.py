import subprocess
from pathlib import Path

import pytest

from ferbench.environment import Environment, git_commit, n_cores, peak_memory_bytes


def test_capture_tells_what_makes_figures_comparable() -> None:
    environment = Environment.capture()
    assert environment.n_cores == n_cores() >= 1
    assert environment.processor and environment.libraries["scikit-learn"]
    assert Environment.model_validate_json(environment.model_dump_json()) == environment


def test_peak_memory_is_in_bytes() -> None:
    peak = peak_memory_bytes()
    assert peak is None or 10e6 < peak < 1e12


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in ("GIT_AUTHOR", "GIT_COMMITTER"):
        monkeypatch.setenv(f"{variable}_NAME", "n")
        monkeypatch.setenv(f"{variable}_EMAIL", "e@example.org")
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    (tmp_path / "code.py").write_text("1")
    subprocess.run(["git", "add", "."], cwd=tmp_path, check=True)
    subprocess.run(["git", "commit", "-qm", "one"], cwd=tmp_path, check=True)
    return tmp_path


def test_commit_marks_changed_code_and_not_new_results(repository: Path) -> None:
    commit = git_commit(repository)
    assert commit is not None and len(commit) == 40
    (repository / "reports").mkdir()
    (repository / "reports" / "result.json").write_text("{}")
    assert git_commit(repository) == commit
    (repository / "code.py").write_text("2")
    assert git_commit(repository) == f"{commit}+changes"


def test_commit_is_that_of_the_beginning_when_one_is_given(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(repository)
    before = git_commit()
    (repository / "code.py").write_text("2")
    assert Environment.capture(before).commit == before
    assert Environment.capture().commit == f"{before}+changes"


def test_no_repository_no_commit(tmp_path: Path) -> None:
    assert git_commit(tmp_path) is None
