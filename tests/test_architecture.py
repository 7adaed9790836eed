"""The arrows between modules point one way, and the test split is opened in one file."""

import ast
from pathlib import Path

import pytest

import ferbench

PACKAGE = Path(ferbench.__file__).parent
FILES = sorted(path for path in PACKAGE.rglob("*.py"))

LAYERS = [
    {"errors", "types"},
    {
        "validation",
        "registry",
        "statistics",
        "environment",
        "pyfunc",
        "data",
        "recognizers",
        "engines",
        "metrics",
        "timing",
        "faces",
        "corruptions",
    },
    {"config", "results", "evaluation"},
    {"report", "tracking", "cards", "conditions", "realtime", "robustness"},
    {"protocol"},
    {"experiment", "live", "live_comparison", "tuning", "checks"},
    {"cli", "__main__"},
]


def unit(module: str) -> str:
    return module.split(".")[1]


def layer_of(name: str) -> int:
    return next(index for index, names in enumerate(LAYERS) if name in names)


def imported(path: Path) -> set[str]:
    """Modules of ferbench that a file imports, `from ferbench import x` counted as ferbench.x."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "ferbench":
            found |= {f"ferbench.{alias.name}" for alias in node.names if not alias.name.startswith("__")}
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("ferbench."):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("ferbench.")}
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_downward(path: Path) -> None:
    relative = path.relative_to(PACKAGE).with_suffix("")
    if relative.name == "__init__" and len(relative.parts) == 1:
        return
    here = layer_of(relative.parts[0])
    above = {module for module in imported(path) if layer_of(unit(module)) > here}
    assert not above, f"{relative} imports {above}, which lies above it"


def test_every_module_has_a_layer() -> None:
    for path in FILES:
        name = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
        assert name == "__init__" or any(name in names for names in LAYERS), name


def test_tracking_and_report_know_no_recognizer() -> None:
    for path in [*(PACKAGE / "tracking").glob("*.py"), *(PACKAGE / "report").glob("*.py")]:
        assert not {module for module in imported(path) if module.startswith("ferbench.recognizers")}, path


def test_only_the_protocol_opens_the_test_split() -> None:
    allowed = {PACKAGE / "protocol.py", *(PACKAGE / "data").glob("*.py")}
    for path in set(FILES) - allowed:
        reads = [
            node.lineno
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Attribute)
            and node.attr == "test"
            and isinstance(node.value, ast.Name | ast.Attribute)
            and "dataset" in ast.dump(node.value)
        ]
        assert not reads, f"{path}:{reads} opens dataset.test"


def test_the_protocol_opens_the_test_split_in_one_function() -> None:
    tree = ast.parse((PACKAGE / "protocol.py").read_text())
    openers = {
        function.name
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef)
        and any(
            isinstance(node, ast.Attribute) and node.attr == "test" and "dataset" in ast.dump(node.value)
            for node in ast.walk(function)
        )
    }
    assert openers == {"held_out"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_unpickles(path: Path) -> None:
    text = path.read_text()
    assert "pickle.load" not in text and "joblib" not in text and "allow_pickle=True" not in text


def test_mlflow_stands_in_two_files() -> None:
    users = {path.name for path in FILES if "import mlflow" in path.read_text() or "from mlflow" in path.read_text()}
    assert users == {"mlflow_runs.py", "mlflow_store.py"}


def test_tensorflow_is_imported_nowhere() -> None:
    for path in FILES:
        assert "import tensorflow" not in path.read_text(), path
