"""Models in checkpoints: plain hyperparameters beside the weights, and the way back."""

import inspect
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, TypeVar

from lightning.fabric.plugins.io.torch_io import TorchCheckpointIO
from lightning_utilities.core.rank_zero import rank_zero_info
from torch import Tensor
from typing_extensions import Self

from genzoo.checkpoints import CheckpointError, local_file, read_checkpoint, require_states
from genzoo.data.splits import ArrayDataModule
from genzoo.hyperparameters import as_plain
from genzoo.models.averaging import AveragedModule
from genzoo.moved import renamed
from genzoo.networks.discriminator import LayeredDiscriminator, rename_head
from genzoo.optimizers import renew_settings
from genzoo.training.checkpoint_io import SafeCheckpointIO

# The entry of a checkpoint that tells the data which the model is trained on.
DATA = "data_identity"


class StoredModule(AveragedModule):
    """A module whose checkpoints say what it is: they load with ``weights_only=True``, whatever its class."""

    def store_hyperparameters(self) -> None:
        """Keeps the constructor's arguments as plain data; to be called in a constructor."""
        self.save_hyperparameters()
        if "_instantiator" not in self.hparams:
            plain = {name: as_plain(value) for name, value in self.hparams.items()}
            cls = type(self)
            rebuild = {
                "_class_path": f"{cls.__module__}.{cls.__qualname__}",
                "_instantiator": "lightning.pytorch.cli.instantiate_module",
            }
            self.save_hyperparameters(plain | rebuild)

    def setup(self, stage: str) -> None:
        """Lets the trainer read checkpoints safely, where nobody has chosen how they are read."""
        super().setup(stage)
        strategy = self.trainer.strategy
        if type(strategy.checkpoint_io) is TorchCheckpointIO:
            strategy.checkpoint_io = SafeCheckpointIO()

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Notes what data the model is trained on."""
        super().on_save_checkpoint(checkpoint)
        if (identity := self._data_identity()) is not None:
            checkpoint[DATA] = identity

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes a checkpoint's weights where they fit, and this model's settings where they are others.

        Raises:
            ValueError: If the weights do not fit, or if training shall go on from weights alone, or with other data
                among the checkpoints of the run.
        """
        super().on_load_checkpoint(checkpoint)
        if self._trainer is None:
            return
        if self.is_fitting:
            self._compare_data(checkpoint.get(DATA))
        stored = renamed(checkpoint.get("hyper_parameters", {}))
        others = {name: value for name, value in self.hparams.items() if name in stored and stored[name] != value}
        if "state_dict" not in checkpoint:
            # A strategy that divides weights has put them in their places itself.
            self._require_same_optimizers(others)
            return
        if self.is_fitting:
            require_states(checkpoint, self.trainer.ckpt_path)
        if self.strict_loading:
            self._require_fitting_weights(checkpoint["state_dict"], others, stored)
        if self.is_fitting and any("optimizer" in name or "scheduler" in name for name in others):
            configs: Any = self.configure_optimizers()
            renew_settings(checkpoint, configs if isinstance(configs, tuple) else (configs,))

    def _require_same_optimizers(self, others: dict[str, Any]) -> None:
        """Refuses new optimisers for divided weights, with which the states of the old ones have been loaded."""
        if changed := [name for name in others if "optimizer" in name or "scheduler" in name]:
            raise ValueError(
                f"{' and '.join(changed)} cannot be changed where a run goes on with divided weights; leave them as "
                "they were, or go on with whole ones (--trainer.strategy ddp)"
            )

    def _data_identity(self) -> str | None:
        """What tells the data that a trainer fits this module to from others, if they know it."""
        data = self.trainer.datamodule if self.is_fitting else None  # type: ignore[attr-defined]
        return data.identity if isinstance(data, ArrayDataModule) and "train" in data.parts else None

    def _compare_data(self, stored: str | None) -> None:
        """Refuses to replace a run's checkpoints by those of other data; elsewhere it is said that they are others."""
        identity = self._data_identity()
        if None in (stored, identity) or stored == identity:
            return
        checkpoint = Path(str(self.trainer.ckpt_path))
        others = f"the training data are other than those of {checkpoint} (now {identity}, then {stored})"
        folders = [getattr(callback, "dirpath", None) for callback in self.trainer.checkpoint_callbacks]
        if checkpoint.parent.resolve() in [Path(folder).resolve() for folder in folders if folder]:
            raise CheckpointError(f"{others}; bring those back, or begin a new run from it with --run.name")
        rank_zero_info(f"genzoo: {others}")

    def _require_fitting_weights(self, state: dict[str, Any], others: dict[str, Any], stored: dict[str, Any]) -> None:
        state = dict(state)
        for name, module in self.named_modules():
            if isinstance(module, LayeredDiscriminator):
                rename_head(module, state, f"{name}.")
        own = {name: tuple(value.shape) for name, value in self.state_dict().items() if isinstance(value, Tensor)}
        there = {name: tuple(value.shape) for name, value in state.items() if isinstance(value, Tensor)}
        if wrong := [name for name in (own | there) if own.get(name) != there.get(name)]:
            name = wrong[0]
            settings = "; ".join(f"{key} was {stored[key]} and is {value}" for key, value in others.items())
            raise ValueError(
                f"the weights of the checkpoint do not fit this {type(self).__name__}: {name} is "
                f"{there.get(name, 'missing')} there and {own.get(name, 'missing')} here"
                + (f" ({settings}); leave out what changes the networks" if settings else "")
            )

    @classmethod
    def load_from_checkpoint(cls, checkpoint_path: str | Path, **kwargs: Any) -> Self:  # type: ignore[override]
        """Loads the model of a checkpoint, whichever subclass of this class it is.

        Nothing that the file holds is run, unless ``weights_only=False`` is given.

        Args:
            checkpoint_path: The file, or its address (``https://...``, or another that fsspec knows).
            **kwargs: As for Lightning's method of the same name: ``map_location``, ``strict``, ``weights_only`` and
                new values of hyperparameters.

        Raises:
            FileNotFoundError: If there is no such file.
            CheckpointError: If the file is no checkpoint, or none of a model of this class.
        """
        weights_only = kwargs.setdefault("weights_only", True)
        with local_file(checkpoint_path) as file:
            checkpoint = read_checkpoint(file, name=checkpoint_path, mmap=True, weights_only=weights_only)
            stored = checkpoint.get("hyper_parameters", {})
            # Lightning reads the file once more: what has moved since it was written is handed over as new values.
            moved = {name: value for name, value in renamed(stored).items() if value != stored[name]}
            found = _stored_class(cls, stored | moved, checkpoint_path, kwargs)
            model = super(StoredModule, found).load_from_checkpoint(file, **moved | kwargs)
        model.switch_to_best_weights()
        return model


Stored = TypeVar("Stored", bound=StoredModule)


def _stored_class(
    wanted: type[Stored], stored: dict[str, Any], name: str | Path, given: dict[str, Any]
) -> type[Stored]:
    """The class of the model whose hyperparameters a checkpoint holds, which must be of the one that is wanted."""
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
    if not isinstance(found, type) or not issubclass(found, StoredModule):
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
