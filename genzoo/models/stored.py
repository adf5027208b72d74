"""Models in checkpoints: plain hyperparameters beside the weights, and the way back."""

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from typing_extensions import Self

from genzoo.hyperparameters import as_plain
from genzoo.models.averaging import AveragedModule
from genzoo.optimizers import renew_settings


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

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Takes a checkpoint's weights where they fit, and this model's settings where they are others.

        Raises:
            ValueError: If the weights do not fit.
        """
        super().on_load_checkpoint(checkpoint)
        if self._trainer is None:
            return
        stored = checkpoint.get("hyper_parameters", {})
        others = {name: value for name, value in self.hparams.items() if name in stored and stored[name] != value}
        if self.strict_loading:
            self._require_fitting_weights(checkpoint["state_dict"], others, stored)
        if self.is_fitting and any("optimizer" in name or "scheduler" in name for name in others):
            configs: Any = self.configure_optimizers()
            renew_settings(checkpoint, configs if isinstance(configs, tuple) else (configs,))

    def _require_fitting_weights(self, state: dict[str, Any], others: dict[str, Any], stored: dict[str, Any]) -> None:
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

        Args:
            checkpoint_path: The file; a URL works on the model's own class.
            **kwargs: As for Lightning's method of the same name: ``map_location``, ``strict`` and new values of
                hyperparameters.

        Raises:
            ValueError: If the checkpoint's model is not of this class.
        """
        stored = _class_of_checkpoint(checkpoint_path)
        if stored is not None and not issubclass(stored, cls):
            raise ValueError(
                f"{checkpoint_path} holds a {stored.__name__}, not a {cls.__name__}; "
                f"load it with {stored.__name__}.load_from_checkpoint"
            )
        model = super(StoredModule, stored or cls).load_from_checkpoint(checkpoint_path, **kwargs)
        model.switch_to_best_weights()
        return model


def _class_of_checkpoint(checkpoint_path: str | Path) -> type[StoredModule] | None:
    if not Path(checkpoint_path).is_file():
        return None
    stored = torch.load(checkpoint_path, map_location="cpu", mmap=True, weights_only=True)
    module, _, name = stored.get("hyper_parameters", {}).get("_class_path", "").rpartition(".")
    if module.partition(".")[0] == "genzoo":
        import_module(module)
    # As in Lightning, a class of somebody else's is taken only where it is imported already.
    return getattr(sys.modules.get(module), name, None)
