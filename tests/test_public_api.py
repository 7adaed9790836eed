import subprocess
import sys
from pathlib import Path

import ferbench


def test_all_is_complete_and_every_name_resolves() -> None:
    assert set(ferbench.__all__) == {*ferbench._HOME, "__version__"}
    assert all(getattr(ferbench, name) is not None for name in ferbench.__all__)


def test_dir_shows_the_public_names() -> None:
    assert dir(ferbench) == sorted(ferbench.__all__)


def test_unknown_attribute_is_an_attribute_error() -> None:
    assert not hasattr(ferbench, "lod")


def test_import_loads_no_framework() -> None:
    heavy = (
        "{'keras', 'tensorflow', 'sklearn', 'skimage', 'cv2', 'mlflow', 'pandas', 'numpy', 'matplotlib', 'pydantic'}"
    )
    code = f"import sys, ferbench; print(sorted(set(sys.modules) & {heavy}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_listing_imports_no_framework() -> None:
    code = (
        "import sys; from ferbench.cli import main; main(['list', '--json']); "
        "print(sorted(set(sys.modules) & {'keras', 'tensorflow', 'sklearn', 'cv2', 'mlflow'}), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_run_that_needs_no_opencv_does_not_import_it(tmp_path: Path) -> None:
    (tmp_path / "run.yaml").write_text(
        "{name: dark, dataset: {name: synthetic, params: {n_train: 70, n_validation: 35, n_test: 35}}, "
        "recognizer: {name: hog_svm, params: {c: [0.1]}}, tracking: {name: none}, "
        "timing: {batch_sizes: [1], warmup: 1, min_seconds: 0, min_queries: 1}}"
    )
    code = "import sys; from ferbench.cli import main; sys.exit(main(['run', 'run.yaml']) or 'cv2' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr
