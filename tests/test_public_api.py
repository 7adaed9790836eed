import subprocess
import sys

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
