"""What a checkpoint says of its model and data, and whether it fits those that it is loaded into."""

import inspect
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from lightning.pytorch import LightningModule, Trainer
from lightning_utilities.core.rank_zero import rank_zero_info
from torch import Tensor

from genzoo.checkpoint_files import CheckpointError, require_states
from genzoo.data.splits import ArrayDataModule
from genzoo.hyperparameters import as_plain
from genzoo.moved import renamed
from genzoo.networks.discriminator import LayeredDiscriminator, rename_head
from genzoo.sampling.sampler import Sampler
from genzoo.sampling.stored import AVERAGED, RAW
from genzoo.training.renewal import renew_settings

# The entry of a checkpoint that tells the data which the model is trained on.
DATA = "data_identity"

AnyModel = TypeVar("AnyModel", bound=LightningModule)


def store_hyperparameters(model: LightningModule) -> None:
    """Keeps the arguments of a model's constructor as plain data; to be called in the constructor of a base class.

    The checkpoint then loads with ``weights_only=True``, whatever its class.
    """
    # The frames of the constructors above this function are where Lightning finds the arguments.
    frame: Any = inspect.currentframe()
    model.save_hyperparameters(frame=frame.f_back)
    if "_instantiator" not in model.hparams:
        plain = {name: as_plain(value) for name, value in model.hparams.items()}
        cls = type(model)
        rebuild = {
            "_class_path": f"{cls.__module__}.{cls.__qualname__}",
            "_instantiator": "lightning.pytorch.cli.instantiate_module",
        }
        model.save_hyperparameters(plain | rebuild)


def identity_of_data(trainer: Trainer) -> str | None:
    """What tells the data that a trainer fits a model to from others, if they know it."""
    data = trainer.datamodule  # type: ignore[attr-defined]
    return data.identity if isinstance(data, ArrayDataModule) and "train" in data.parts else None


def require_same_data_for_checkpoints(trainer: Trainer, stored: str | None) -> None:
    """Refuses to replace a run's checkpoints by those of other data; elsewhere it is said that they are others.

    Args:
        trainer: That goes on from a checkpoint.
        stored: What tells the data of the checkpoint.

    Raises:
        CheckpointError: If new checkpoints would go beside the one of other data.
    """
    identity = identity_of_data(trainer)
    if None in (stored, identity) or stored == identity:
        return
    checkpoint = Path(str(trainer.ckpt_path))
    others = f"the training data are other than those of {checkpoint} (now {identity}, then {stored})"
    folders = [getattr(callback, "dirpath", None) for callback in trainer.checkpoint_callbacks]
    if checkpoint.parent.resolve() in [Path(folder).resolve() for folder in folders if folder]:
        raise CheckpointError(f"{others}; bring those back, or begin a new run from it with --run.name")
    rank_zero_info(f"genzoo: {others}")


def fit_settings(model: LightningModule, checkpoint: dict[str, Any], is_fitting: bool) -> None:
    """Loads a checkpoint's weights if they fit a model, and keeps the model's settings where they differ.

    Args:
        model: Whose weights are about to be loaded.
        checkpoint: Of Lightning; the states of its optimisers are changed where the model has other settings.
        is_fitting: Whether training shall go on from it.

    Raises:
        ValueError: If the weights do not fit, or if training shall go on from weights alone.
    """
    stored = renamed(checkpoint.get("hyper_parameters", {}))
    others = {name: value for name, value in model.hparams.items() if name in stored and stored[name] != value}
    changed = [name for name in others if "optimizer" in name or "scheduler" in name]
    if "state_dict" not in checkpoint:
        # A strategy that divides weights has put them in their places itself, and the old optimisers' states too.
        if changed:
            raise ValueError(
                f"{' and '.join(changed)} cannot be changed where a run goes on with divided weights; leave them as "
                "they were, or go on with whole ones (--trainer.strategy ddp)"
            )
        return
    if is_fitting:
        require_states(checkpoint, model.trainer.ckpt_path)
    if model.strict_loading:
        _require_fitting_weights(model, checkpoint["state_dict"], others, stored)
    if is_fitting and changed:
        configs: Any = model.configure_optimizers()
        renew_settings(checkpoint, configs if isinstance(configs, tuple) else (configs,))


def _require_fitting_weights(
    model: LightningModule, state: dict[str, Any], others: dict[str, Any], stored: dict[str, Any]
) -> None:
    own = {name: tuple(value.shape) for name, value in model.state_dict().items() if isinstance(value, Tensor)}
    there = {name: tuple(value.shape) for name, value in state.items() if isinstance(value, Tensor)}
    if wrong := [name for name in (own | there) if own.get(name) != there.get(name)]:
        name = wrong[0]
        settings = "; ".join(f"{key} was {stored[key]} and is {value}" for key, value in others.items())
        raise ValueError(
            f"the weights of the checkpoint do not fit this {type(model).__name__}: {name} is "
            f"{there.get(name, 'missing')} there and {own.get(name, 'missing')} here"
            + (f" ({settings}); leave out what changes the networks" if settings else "")
        )


def rename_weights(state: dict[str, Any], model: LightningModule, sampler: Sampler) -> None:
    """Gives the weights of a checkpoint of version 0.1.0, when models held their networks themselves, their names now.

    Args:
        state: Of the checkpoint, by name; changed in place.
        model: That is to be loaded.
        sampler: The model's.
    """
    parts = dict(sampler.named_children())
    moved = {*parts, "density"}
    for name in list(state):
        prefix = next((prefix for prefix in (AVERAGED, "") if name.startswith(prefix)), "")
        part, _, rest = name.removeprefix(prefix).partition(".")
        if part == "shared_parameters":
            # What all values share was the model's, and is its likelihood's.
            part, rest = "likelihood_head", next(iter(parts["likelihood_head"].state_dict()), rest)
        if part in moved and (part in parts or not prefix):
            state[f"{prefix or RAW}{part}.{rest}"] = state.pop(name)
    for name, module in model.named_modules():
        if isinstance(module, LayeredDiscriminator):
            rename_head(module, state, f"{name}.")


def class_of_checkpoint(
    wanted: type[AnyModel], stored: dict[str, Any], name: str | Path, given: dict[str, Any]
) -> type[AnyModel]:
    """The class of a checkpoint's model, which must be of the one that is wanted.

    Args:
        wanted: As which the checkpoint is loaded.
        stored: The hyperparameters that it holds.
        name: What messages call it.
        given: Hyperparameters in place of those that are stored.

    Raises:
        CheckpointError: If the class is unknown or another one, or is missing where it is needed.
    """
    class_path = str(stored.get("_class_path", ""))
    if not class_path and inspect.isabstract(wanted):
        raise CheckpointError(
            f"{name} does not say which model it holds; load it with load_from_checkpoint of its own class"
        )
    if not class_path:
        if "hparams_file" not in given and "data_spec" not in stored | given:
            raise CheckpointError(
                f"{name} holds no hyperparameters; give those of its {wanted.__name__}, data_spec first, as keyword "
                "arguments"
            )
        return wanted
    module, _, class_name = class_path.rpartition(".")
    if module.partition(".")[0] == "genzoo":
        with suppress(ModuleNotFoundError):
            import_module(module)
    # As in Lightning, a class of somebody else's is taken only where it is imported already.
    found = getattr(sys.modules.get(module), class_name, None)
    if not isinstance(found, type) or not issubclass(found, LightningModule):
        raise CheckpointError(
            f"{name} holds a {class_path}, which is no model that is known here; import the module that defines it "
            "first, or use the version of genzoo that wrote it"
        )
    if not issubclass(found, wanted):
        raise CheckpointError(
            f"{name} holds a {found.__name__}, not a {wanted.__name__}; "
            f"load it with {found.__name__}.load_from_checkpoint"
        )
    return found
