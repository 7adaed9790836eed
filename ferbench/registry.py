"""From a name to the thing itself: ferbench's own table, then entry points, both loaded only when asked for.

A class's or function's keyword-only signature is its parameter schema: `create` checks and coerces what came from
YAML against it, so that `"1e-3"` becomes 0.001 and a misspelt parameter is refused with the list of those accepted.
"""

from __future__ import annotations

import inspect
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

from ferbench.errors import ConfigError, DataError, PluginError, UnknownNameError, did_you_mean

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ferbench.recognizers.base import Recognizer

_BUILTIN: dict[str, dict[str, str]] = {
    "recognizers": {
        "prior": "ferbench.recognizers.prior:Prior",
        "hog_svm": "ferbench.recognizers.classical.hog_svm:HogSvm",
        "lbp_svm": "ferbench.recognizers.classical.lbp_svm:LbpSvm",
        "bovw_svm": "ferbench.recognizers.classical.bovw_svm:BovwSvm",
        "bovw_local_svm": "ferbench.recognizers.classical.bovw_local_svm:BovwLocalSvm",
        "classical_ensemble": "ferbench.recognizers.classical.classical_ensemble:ClassicalEnsemble",
        "gabor_svm": "ferbench.recognizers.classical.gabor_svm:GaborSvm",
        "hog_lbp_svm": "ferbench.recognizers.classical.hog_lbp_svm:HogLbpSvm",
        "hog_rbf": "ferbench.recognizers.classical.hog_rbf:HogRbf",
        "fisher_svm": "ferbench.recognizers.classical.fisher_svm:FisherSvm",
        "patch_svm": "ferbench.recognizers.classical.patch_svm:PatchSvm",
        "cnn3": "ferbench.recognizers.deep.cnn3:Cnn3",
        "cnn9": "ferbench.recognizers.deep.cnn9:Cnn9",
        "ferbench_net": "ferbench.recognizers.deep.ferbench_net:FerbenchNet",
        "ensemble": "ferbench.recognizers.ensemble:Ensemble",
        "exported": "ferbench.recognizers.exported:Exported",
        "lenet5": "ferbench.recognizers.deep.lenet5:Lenet5",
        "alexnet": "ferbench.recognizers.deep.alexnet:Alexnet",
        "vgg": "ferbench.recognizers.deep.vgg:Vgg",
        "resnet18": "ferbench.recognizers.deep.resnet18:Resnet18",
        "mobilenet": "ferbench.recognizers.deep.mobilenet:Mobilenet",
        "efficientnet": "ferbench.recognizers.deep.efficientnet:Efficientnet",
        "cbam_resnet": "ferbench.recognizers.deep.cbam_resnet:CbamResnet",
        "mini_xception": "ferbench.recognizers.deep.mini_xception:MiniXception",
    },
    "datasets": {
        "affectnet7": "ferbench.data.affectnet:load_affectnet7",
        "affectnet8": "ferbench.data.affectnet:load_affectnet8",
        "ckplus": "ferbench.data.ckplus:load_ckplus",
        "ckplus_csv": "ferbench.data.ckplus:load_ckplus_csv",
        "fer2013": "ferbench.data.fer2013:load_fer2013",
        "ferplus_majority": "ferbench.data.ferplus:load_ferplus_majority",
        "ferplus_plurality": "ferbench.data.ferplus:load_ferplus_plurality",
        "ferplus_votes": "ferbench.data.ferplus:load_ferplus_votes",
        "folder": "ferbench.data.folder:load_folder",
        "rafdb": "ferbench.data.rafdb:load_rafdb",
        "rafdb_compound": "ferbench.data.rafdb:load_rafdb_compound",
        "synthetic": "ferbench.data.synthetic:load_synthetic",
    },
    "preparers": {
        "affectnet": "ferbench.data.affectnet:prepare_affectnet",
        "ckplus": "ferbench.data.ckplus:prepare_ckplus",
        "fer2013": "ferbench.data.fer2013:prepare_fer2013",
        "ferplus": "ferbench.data.ferplus:prepare_ferplus",
        "folder": "ferbench.data.folder:prepare_folder",
        "rafdb": "ferbench.data.rafdb:prepare_rafdb",
    },
    "sources": {
        "camera": "ferbench.realtime.camera:Camera",
        "folder": "ferbench.realtime.sources:Folder",
        "replay": "ferbench.realtime.replay:open_replay",
        "video": "ferbench.realtime.sources:Video",
    },
    "detectors": {
        "haar": "ferbench.faces.detectors:Haar",
        "mtcnn": "ferbench.faces.mtcnn:Mtcnn",
        "whole_frame": "ferbench.faces.detectors:WholeFrame",
        "yunet": "ferbench.faces.yunet:YuNet",
    },
    "engines": {
        "litert": "ferbench.engines.litert:Litert",
        "onnxruntime": "ferbench.engines.onnx_runtime:OnnxRuntime",
        "openvino": "ferbench.engines.openvino_runtime:OpenVino",
    },
    "trackers": {
        "mlflow": "ferbench.tracking.mlflow_runs:MlflowTracker",
        "none": "ferbench.tracking.trackers:NullTracker",
    },
}
_added: dict[str, dict[str, Any]] = {}

WEIGHTS = Path(__file__).parent / "weights"
"""Where the trained recognizers that come with the package lie, a folder each."""


def _entry_points(kind: str) -> dict[str, EntryPoint]:
    _check_kind(kind)
    table = {name: EntryPoint(name, target, f"ferbench.{kind}") for name, target in _BUILTIN.get(kind, {}).items()}
    for point in entry_points(group=f"ferbench.{kind}"):
        rival = table.get(point.name)
        if rival is not None and rival.value != point.value:
            raise PluginError(
                f"Two packages claim the {kind[:-1]} name '{point.name}': {rival.value} and {point.value}. "
                "Uninstall one, or ask its author for a vendor prefix."
            )
        table[point.name] = point
    return table


def _check_kind(kind: str) -> None:
    if kind not in _BUILTIN:
        raise UnknownNameError(f"No kind of component named '{kind}'. {did_you_mean(kind, _BUILTIN)}")


def names(kind: str) -> list[str]:
    """All registered names of a kind ("recognizers", "datasets", ...), sorted; imports none of them."""
    return sorted({*_entry_points(kind), *_added.get(kind, {})})


def get(kind: str, name: str) -> Any:
    """The class or function behind a name.

    Raises:
        UnknownNameError: no such name; the message suggests the nearest.
        PluginError: it is registered and fails to import.
    """
    added = _added.get(kind, {})
    if name in added:
        return added[name]
    points = _entry_points(kind)
    if name not in points:
        raise UnknownNameError(f"No {kind[:-1]} named '{name}'. {did_you_mean(name, [*points, *added])}")
    try:
        return points[name].load()
    except (ImportError, AttributeError) as error:
        raise PluginError(f"The {kind[:-1]} '{name}' ({points[name].value}) fails to import: {error}") from error


def add(kind: str, name: str, target: Any) -> None:
    """Register `target` under `name` for this process only (notebooks, tests).

    Raises:
        PluginError: the name is taken.
    """
    if name in names(kind):
        raise PluginError(f"The {kind[:-1]} name '{name}' is taken: choose another, with a prefix of your own.")
    _added.setdefault(kind, {})[name] = target


def schema_of(target: Any, given: tuple[str, ...] = ()) -> type[BaseModel]:
    """The pydantic model of a class's or function's keyword-only parameters; unknown ones are forbidden.

    Args:
        target: The class or function.
        given: Parameters that the caller passes itself and a user may not.

    Raises:
        PluginError: the signature takes `*args`, `**kwargs` or positional parameters.
    """
    from pydantic import ConfigDict, create_model

    owner = target.__init__ if inspect.isclass(target) else target
    hints = get_type_hints(owner)
    fields: dict[str, Any] = {}
    for parameter in inspect.signature(target).parameters.values():
        if parameter.name in given:
            continue
        if parameter.kind is not inspect.Parameter.KEYWORD_ONLY:
            raise PluginError(
                f"{target.__name__} takes '{parameter}': parameters must be keyword-only and named one by one."
            )
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        fields[parameter.name] = (hints.get(parameter.name, Any), default)
    config = ConfigDict(extra="forbid", protected_namespaces=(), arbitrary_types_allowed=True)
    return create_model(target.__name__, __config__=config, **fields)


def resolve(
    kind: str, name: str, params: dict[str, Any] | None = None, *, seed: int = 0, given: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Check `params` against the signature behind `name` and fill in its defaults, `seed` too where it has one.

    Raises:
        ConfigError: an unknown parameter or a value of the wrong type.
    """
    from pydantic import ValidationError

    from ferbench.validation import explain

    schema = schema_of(get(kind, name), given)
    chosen = dict(params or {})
    if "seed" in schema.model_fields:
        chosen.setdefault("seed", seed)
    try:
        checked = schema.model_validate(chosen)
    except ValidationError as error:
        raise ConfigError(f"{kind[:-1]} '{name}': {explain(error, schema)}") from error
    return {field: getattr(checked, field) for field in schema.model_fields}


def create(kind: str, name: str, params: dict[str, Any] | None = None, *, seed: int = 0) -> Any:
    """Build the component `name` from parameters as they stand in a YAML file.

    Raises:
        UnknownNameError, PluginError: see `get`.
        ConfigError: see `resolve`.
    """
    return get(kind, name)(**resolve(kind, name, params, seed=seed))


def load(name_or_directory: str | Path, *, engine: str | None = None) -> Recognizer:
    """A trained recognizer, ready to predict: one that comes with ferbench by name, or any saved one by directory.

    Runs no code from the files it reads and needs no network.

    Args:
        name_or_directory: "hog_svm", or a folder that `Recognizer.save`, a run or an export wrote.
        engine: What a Keras network answers through: "litert", "onnxruntime", "openvino", "keras", or "auto", the
            fastest installed one that passes its gate. It is converted the first time. None: as it was saved.

    Raises:
        UnknownNameError: neither a shipped name nor a directory, or no such engine.
        DataError: the directory holds no recognizer, or a damaged or altered one.
        ConfigError: an engine is named and this is no Keras network.
        MissingLibraryError: the engine is not installed; the message has the command.
    """
    from ferbench.recognizers.header import read_header

    directory = find(name_or_directory)
    if engine is not None:
        from ferbench.engines.choice import through

        directory = through(directory, engine)
    header = read_header(directory)
    recognizer: Recognizer = get("recognizers", header.name).load(directory)
    return recognizer


def shipped() -> list[str]:
    """Names of the trained recognizers that come with the package, sorted."""
    return sorted(path.parent.name for path in WEIGHTS.glob("*/recognizer.json"))


def find(name_or_directory: str | Path) -> Path:
    """The directory of a saved recognizer: a run's folder means the `model` folder in it."""
    if str(name_or_directory) in shipped():
        return WEIGHTS / str(name_or_directory)
    path = Path(name_or_directory)
    for directory in (path, path / "model"):
        if (directory / "recognizer.json").is_file():
            return directory
    if path.is_dir():
        raise DataError(
            f"{path} holds no trained recognizer: expected a file recognizer.json in it or in {path}/model."
        )
    name = str(name_or_directory)
    if name in names("recognizers"):
        raise UnknownNameError(
            f"'{name}' is registered but no trained weights of it come with ferbench. Train it "
            f"(python -m ferbench run experiments/{name}.yaml) and give the folder that the run wrote."
        )
    raise UnknownNameError(
        f"No trained recognizer '{name}': neither a folder nor a name. {did_you_mean(name, shipped())}"
    )
