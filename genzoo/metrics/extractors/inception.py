"""Inception-v3 with the weights of the original FID; only scores in its features are called FID."""

import hashlib
import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from genzoo.extras import import_extra
from genzoo.metrics.extractors.extractor import INCEPTION, FeatureExtractor

WEIGHTS = "weights-inception-2015-12-05-6726825d.pth"
URL = f"https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/{WEIGHTS}"


def inception_extractor(weights: Path | None = None) -> FeatureExtractor:
    """Loads Inception-v3 as torch-fidelity has it, converted from the weights of the original FID.

    Images of any size are resized to 299 pixels as TensorFlow 1 did, without antialiasing; grey ones become
    colour. 2,048 features, and the 1,008 logits without bias, of which the Inception score is made.

    Args:
        weights: File of the weights; None: in torch's hub folder, into which it is downloaded if need be.

    Raises:
        ModuleNotFoundError: If torch-fidelity is not installed.
        RuntimeError: If the weights are not there and cannot be downloaded.
        ValueError: If the file is another one.
    """
    module = import_extra("torch_fidelity.feature_extractor_inceptionv3", "torch-fidelity", "FID")
    path = weights or Path(torch.hub.get_dir()) / "checkpoints" / WEIGHTS
    if not path.is_file():
        _download(path, may_download=weights is None)
    # The end of the file's name is the start of its hash.
    if not hashlib.sha256(path.read_bytes()).hexdigest().startswith(path_hash := WEIGHTS[-12:-4]):
        raise ValueError(
            f"{path} is not the file {WEIGHTS}, whose SHA-256 starts with {path_hash}; fetch it anew from {URL}"
        )
    # Eight digits can be forged, and torch-fidelity runs whatever the file says.
    try:
        torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        raise ValueError(f"{path} holds more than plain weights, and is not read; fetch it anew from {URL}") from error
    network = module.FeatureExtractorInceptionV3(INCEPTION, ["2048"], feature_extractor_weights_path=str(path))
    return wrap_inception(network)


def wrap_inception(network: nn.Module) -> FeatureExtractor:
    """An extractor from torch-fidelity's network, whatever its weights."""
    head = nn.Linear(2048, 1008, bias=False)
    weight: Tensor = network.fc.weight  # type: ignore[assignment,union-attr]
    head.weight = nn.Parameter(weight.detach())
    return FeatureExtractor(
        _First(network),
        INCEPTION,
        head=head,
        prepare=_as_colour,
        resize="299 pixels, bilinear as in TensorFlow 1, not antialiased",
    )


class _First(nn.Module):
    """The first of the features that torch-fidelity's network returns."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, images: Tensor) -> Tensor:
        features: Tensor = self.network(images)[0]
        return features


def _as_colour(images: Tensor) -> Tensor:
    # Bytes are left as they are: torch-fidelity's network brings them to its own range.
    return images.expand(-1, 3, -1, -1) if images.shape[1] == 1 else images


def _download(path: Path, may_download: bool) -> None:
    reason = "it is not there"
    if may_download:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            torch.hub.download_url_to_file(URL, str(path), hash_prefix=WEIGHTS[-12:-4], progress=False)
            return
        except (OSError, RuntimeError) as error:
            reason = f"it could not be downloaded: {error}"
    raise RuntimeError(
        f"FID needs the file {path.absolute()}, but {reason}; fetch {URL} and put it there, or score in the features "
        "of an embedded extractor"
    )
