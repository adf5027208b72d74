import pytest
import torch

from genzoo.noise import BatchNoise, ImageNoise, Stream, counter_seed, run_seed


def test_counter_seeds_differ_in_every_counter_and_repeat():
    seeds = {counter_seed(a, b, c) for a in range(5) for b in range(5) for c in range(5)}
    assert len(seeds) == 125
    assert counter_seed(1, 2, 3) == counter_seed(1, 2, 3)
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_run_seed_is_that_of_seed_everything(monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "17")
    assert run_seed() == 17
    monkeypatch.delenv("PL_GLOBAL_SEED")
    assert run_seed() == 0


def test_batch_noise_is_a_function_of_its_counters_and_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    first, again, other = BatchNoise("cpu", 0, 1), BatchNoise("cpu", 0, 1), BatchNoise("cpu", 0, 2)
    draws = [noise.normal(4, 3) for noise in (first, again, other)]
    assert torch.equal(draws[0], draws[1])
    assert not torch.equal(draws[0], draws[2])
    assert not torch.equal(draws[0], first.normal(4, 3))
    assert torch.equal(state, torch.get_rng_state())


@pytest.mark.parametrize("draw", ["normal", "uniform"])
@pytest.mark.parametrize("batch_size", [1, 7, 64, 100])
def test_image_noise_belongs_to_the_image_whatever_the_batch(draw, batch_size):
    whole = ImageNoise(torch.arange(200), "cpu", 3)
    reference = [getattr(whole, draw)(200, 2, 5), getattr(whole, draw)(200, 2, 5)]
    assert not torch.equal(*reference)
    for indices in torch.arange(200).split(batch_size):
        part = ImageNoise(indices, "cpu", 3)
        for expected in reference:
            assert torch.equal(getattr(part, draw)(len(indices), 2, 5), expected[indices])


def test_image_noise_of_interleaved_ranks_is_that_of_one_device():
    reference = ImageNoise(torch.arange(100), "cpu", 0).normal(100, 4)
    for rank in range(3):
        indices = torch.arange(rank, 100, 3)
        assert torch.equal(ImageNoise(indices, "cpu", 0).normal(len(indices), 4), reference[indices])


def test_image_noise_refuses_another_number_of_images():
    with pytest.raises(ValueError, match="noise for 3 images was asked for 4"):
        ImageNoise(torch.arange(3), "cpu", 0).normal(4, 2)


def test_noise_has_the_moments_of_its_distribution():
    noise = BatchNoise("cpu", 0)
    normal, uniform = noise.normal(100_000), noise.uniform(100_000)
    assert abs(float(normal.mean())) < 0.02
    assert abs(float(normal.std()) - 1.0) < 0.02
    assert 0.0 <= float(uniform.min()) <= float(uniform.max()) < 1.0
    assert abs(float(uniform.mean()) - 0.5) < 0.01


@pytest.mark.parametrize("make", [lambda: BatchNoise("cpu", 1), lambda: ImageNoise(torch.arange(3), "cpu", 1)])
@pytest.mark.parametrize("draw", ["normal", "uniform"])
def test_noise_does_not_depend_on_the_type_that_torch_prefers(make, draw):
    expected = getattr(make(), draw)(3, 2)
    for kind in (torch.bfloat16, torch.float64):
        torch.set_default_dtype(kind)
        try:
            drawn = getattr(make(), draw)(3, 2)
        finally:
            torch.set_default_dtype(torch.float32)
        assert drawn.dtype == torch.float32
        assert torch.equal(drawn, expected)


KINDS = pytest.mark.parametrize(
    "make", [lambda: BatchNoise("cpu", 7, 3, 0), lambda: ImageNoise(torch.arange(64, 74), "cpu", 7, 3)]
)


def test_streams_keep_their_numbers():
    """They enter every draw: another number would change pictures and resumed runs."""
    before = ["TRAINING", "GLOBAL", "AUGMENTATION", "EVALUATION", "SAMPLING", "PENALTY", "SHOWN"]
    since = ["INVERSION", "SURROUNDING"]
    assert {stream.name: int(stream) for stream in Stream} == dict(zip(before + since, range(9), strict=True))


@KINDS
def test_a_branch_is_a_function_of_the_counters_and_its_stream(make):
    first, again = make(), make()
    again.normal(10, 4)  # what its stem has drawn before does not matter
    draws = [noise.branch(Stream.PENALTY).normal(10, 4) for noise in (first, again)]
    assert torch.equal(*draws)
    assert not torch.equal(draws[0], make().branch(Stream.SHOWN).normal(10, 4))
    assert not torch.equal(draws[0], make().branch(Stream.SHOWN).branch(Stream.PENALTY).normal(10, 4))


@KINDS
def test_a_branch_goes_on_and_leaves_its_stem_alone(make):
    noise, untouched = make(), make()
    branch = noise.branch(Stream.SHOWN)
    draws = [branch.uniform(10, 4), noise.branch(Stream.SHOWN).uniform(10, 4)]
    assert noise.branch(Stream.SHOWN) is branch
    assert not torch.equal(*draws)
    assert torch.equal(noise.uniform(10, 4), untouched.uniform(10, 4))


@KINDS
def test_no_draw_of_a_branch_is_one_of_its_stem_or_of_another(make):
    """Not even of the stream that is number 0, whose counters would be those of the stem."""
    stem = make()
    noises = [stem, *(stem.branch(stream) for stream in Stream), stem.branch(Stream.PENALTY).branch(Stream.TRAINING)]
    rows = torch.cat([noise.uniform(10, 8) for noise in noises for _ in range(9)])
    assert len(rows.unique(dim=0)) == len(rows) == 10 * 9 * (len(Stream) + 2)


def test_a_draw_of_a_branch_is_none_of_another_block_of_its_stem():
    """The fifth draw of block 1 and the first of block 0 of stream number 5 share all counters but the last."""
    stem = ImageNoise(torch.tensor([0, 64]), "cpu", 7, 3)
    fifth = [stem.uniform(2, 8) for _ in range(5)][-1]
    assert not torch.equal(fifth[1], stem.branch(Stream.PENALTY).uniform(2, 8)[0])


def test_branches_belong_to_the_image_too():
    reference = ImageNoise(torch.arange(100), "cpu", 0).branch(Stream.SHOWN).normal(100, 4)
    for indices in torch.arange(100).split(37):
        part = ImageNoise(indices, "cpu", 0).branch(Stream.SHOWN)
        assert torch.equal(part.normal(len(indices), 4), reference[indices])
