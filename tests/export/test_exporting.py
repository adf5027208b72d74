"""Exported files compute in their own runtimes what samplers compute in torch."""

import json
from itertools import count

import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from genzoo.export.exporting import ExportError, compared, export_sampler
from genzoo.export.parts import Decoder, in_float32, parts_of
from genzoo.networks.conditioning import VectorLayers
from genzoo.networks.mlp import MLPPlayers
from genzoo.noise import BatchNoise
from genzoo.sampling.autoencoders import EncodingSampler
from genzoo.sampling.generators import GeneratorSampler
from genzoo.sampling.sampler import in_eval_mode
from genzoo.zoo.loading import load
from tests.export.samplers import POINTS, SAMPLERS, sampler_named

OURS = ("genzoo", "tests")
# One of each kind; an export of a graph takes seconds.
QUICK = ("generator", "generator from images", "variational")
GRAPHS = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SAMPLERS]
LABELS = {
    "generator": lambda number: torch.arange(number) % 3,
    "generator of points": lambda number: torch.arange(2 * number).view(number, 2) % 7,
    "generator from images": lambda number: torch.rand(number, 1, 8, 8) * 2.0 - 1.0,
    "variational": lambda number: torch.arange(number) % 3,
    "autoencoder": lambda number: torch.randn(number, 3),
}


@pytest.fixture
def folder(tmp_path):
    """Is not there yet."""
    return tmp_path / "exported"


def asked(name, sampler, number):
    """Latent variables of the sampler's own prior, data, and conditions as users give them."""
    torch.manual_seed(number)
    z = sampler.prior_sample(number, BatchNoise("cpu", number)) if sampler.can_sample else None
    y = LABELS[name](number) if name in LABELS else None
    x = torch.rand(number, *sampler.data_shape) * 2.0 - 1.0
    return torch.randn(number, *sampler.latent_shape) if z is None else z, x, y


def require_agreement(name, sampler, run):
    """Compares what files compute with the sampler's public methods, on batches of several sizes."""
    for number in (1, 3, 64):
        z, x, y = asked(name, sampler, number)
        with in_eval_mode(sampler):
            expected = {"decoder": (z, sampler.decode(z, y))}
            if isinstance(sampler, EncodingSampler):
                expected["encoder"] = (x, sampler.encode(x, y))
        for part, (given, wanted) in expected.items():
            torch.testing.assert_close(run(part, given, y), wanted, atol=1e-4, rtol=0.0)


@pytest.mark.parametrize("name", GRAPHS)
def test_onnxruntime_computes_what_torch_does(name, folder):
    sampler = sampler_named(name)
    exported = export_sampler(sampler, folder, "onnx", allowed=OURS)
    parts = ["decoder", "encoder"] if isinstance(sampler, EncodingSampler) else ["decoder"]
    # Weights are within: there are no files beside these.
    assert sorted(path.name for path in folder.iterdir()) == [f"{part}.onnx" for part in parts]
    assert all(part.difference < 1e-5 for part in exported)
    sessions = {part: onnxruntime.InferenceSession(folder / f"{part}.onnx") for part in parts}

    def run(part, given, y):
        inputs = {"z" if part == "decoder" else "x": given.numpy()} | ({} if y is None else {"y": y.numpy()})
        return torch.from_numpy(sessions[part].run(None, inputs)[0])

    require_agreement(name, sampler, run)
    for part in parts:
        model = onnx.load(folder / f"{part}.onnx", load_external_data=False)
        described = {entry.key: entry.value for entry in model.metadata_props}
        assert json.loads(described["data_spec"]) == sampler.data_spec
        assert described["part"] == part
        assert [entry.version for entry in model.opset_import if not entry.domain] == [18]


@pytest.mark.parametrize("name", GRAPHS)
def test_programs_compute_what_torch_does(name, folder):
    sampler = sampler_named(name)
    export_sampler(sampler, folder, "torch-export", allowed=OURS)
    programs = {path.stem: torch.export.load(path).module() for path in folder.iterdir()}

    def run(part, given, y):
        return programs[part](given) if y is None else programs[part](given, y)

    require_agreement(name, sampler, run)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16], ids=str)
@pytest.mark.parametrize("name", SAMPLERS)
def test_samples_of_a_safetensors_file_are_those_of_the_sampler_to_the_byte(name, kind, folder):
    sampler = sampler_named(name).to(kind)
    export_sampler(sampler, folder, "safetensors", allowed=OURS)
    loaded = load(folder / "model.safetensors", allow=OURS)
    z, x, y = asked(name, sampler, 5)
    if sampler.can_sample:
        samples, expected = loaded.sample(5, y, seed=3), sampler.sample(5, y, seed=3)
        assert samples.dtype == kind
        assert torch.equal(samples, expected)
    with torch.no_grad():
        assert torch.equal(loaded.decode(z, y), sampler.decode(z, y))
        if isinstance(sampler, EncodingSampler):
            assert torch.equal(loaded.encode(x, y), sampler.encode(x, y))


def test_half_precision_is_exported_in_float32_and_left_as_it_is(folder):
    sampler = sampler_named("generator of points").to(torch.bfloat16)
    export_sampler(sampler, folder, "torch-export")
    z, _, y = asked("generator of points", sampler, 3)
    found = torch.export.load(folder / "decoder.pt2").module()(z, y)
    assert {values.dtype for values in sampler.parameters()} == {torch.bfloat16}
    assert torch.equal(found, sampler.float().decode(z, y))


def test_conditions_take_all_values_that_they_know():
    for name, values in (("generator", 3), ("generator of points", 7)):
        y = Decoder(sampler_named(name)).examples(64)[1]
        assert y.unique().tolist() == [*range(values)]
    image = Decoder(sampler_named("generator from images")).examples(64)[1]
    assert image.min() < -0.9
    assert image.max() > 0.9


class Remembering(VectorLayers):
    """Layers whose output depends on how often they were asked."""

    def __init__(self, *layers: nn.Module) -> None:
        super().__init__(*layers)
        self.times = count()

    def forward(self, x, condition=None):
        return super().forward(x, condition) + next(self.times)


class Deciding(VectorLayers):
    """Layers that look at their input."""

    def forward(self, x, condition=None):
        return super().forward(x if x.sum() > 0 else -x, condition)


class Strange(MLPPlayers):
    """A generator of other layers."""

    layers = VectorLayers

    def generator(self, latent_shape, data_shape, condition_shape=()):
        return self.layers(nn.Linear(*latent_shape, *data_shape))


def strange(layers):
    sampler = GeneratorSampler(POINTS, (3,), type("Stranger", (Strange,), {"layers": layers})())
    return sampler.eval()


@pytest.mark.parametrize(
    ("layers", "said"),
    [
        (Remembering, "the exported decoder differs from that of the model by"),
        (Deciding, "the decoder cannot be exported"),
    ],
)
def test_what_a_file_cannot_hold_is_refused_and_leaves_nothing(layers, said, folder):
    with pytest.raises(ExportError, match=said) as refused:
        export_sampler(strange(layers), folder, "torch-export")
    assert "\n" not in str(refused.value)
    assert not folder.exists()


@pytest.mark.parametrize("error", [1e-3, -1e-3, float("nan")])
def test_differences_above_those_of_rounding_are_errors(error):
    (part,) = parts_of(in_float32(sampler_named("generator of points")))
    assert compared(part, lambda *inputs: part(*inputs) + 1e-6) == pytest.approx(1e-6, rel=0.2)
    with pytest.raises(ExportError, match="more than rounding makes"):
        compared(part, lambda *inputs: part(*inputs) + error)


def test_files_that_are_there_are_kept_unless_they_may_be_replaced(folder):
    sampler = sampler_named("variational of points")
    folder.mkdir()
    (folder / "encoder.pt2").write_text("mine")
    with pytest.raises(FileExistsError, match=r"encoder\.pt2 is there already; give --overwrite"):
        export_sampler(sampler, folder, "torch-export")
    assert [path.name for path in folder.iterdir()] == ["encoder.pt2"]
    assert (folder / "encoder.pt2").read_text() == "mine"
    export_sampler(sampler, folder, "torch-export", overwrite=True)
    assert (folder / "encoder.pt2").stat().st_size > 1000


def test_other_formats_are_refused_by_name():
    sampler = sampler_named("generator of points")
    with pytest.raises(ValueError, match=r"no format 'safetensor'; did you mean safetensors\?"):
        export_sampler(sampler, "nowhere", "safetensor")


def test_a_graph_of_more_weights_than_a_file_embeds_is_refused(folder, monkeypatch):
    monkeypatch.setattr("genzoo.export.formats.MOST_BYTES_OF_ONNX", 100)
    with pytest.raises(ExportError, match="embeds at most 2 GB of weights"):
        export_sampler(sampler_named("generator of points"), folder, "onnx")
