"""Every shipped config runs a step through the command line."""

import warnings

import pytest

from genzoo.cli import main
from genzoo.cli.configs import shipped_configs

CONFIGS = sorted(
    path.relative_to(shipped_configs()).as_posix()
    for folder in ("", "papers")
    for path in (shipped_configs() / folder).glob("*.yaml")
)
STEP = [
    *("--trainer.max_epochs", "1", "--trainer.limit_train_batches", "1", "--trainer.limit_val_batches", "1"),
    *("--trainer.accelerator", "cpu", "--trainer.enable_progress_bar", "false", "--data.batch_size", "8"),
    *("--pictures.columns", "2", "--pictures.rows", "2"),
]

KNOWN_MISTAKES = ".*(asks for the gradient of each|both limit how steep|nothing limits how steep)"


def test_the_configs_are_found():
    adversarial = {"gan.yaml", "dcgan.yaml", "cgan.yaml", "wgan_gp.yaml", "rpgan_r1_r2.yaml", "edges_to_image.yaml"}
    assert {"autoencoder.yaml", "vae.yaml", "cvae.yaml", "vae_gan.yaml"} | adversarial <= set(CONFIGS)
    assert {
        f"{name}.yaml" for name in ("pacgan", "projection", "acgan", "infogan", "unrolled_gan", "papers/dcgan")
    } <= set(CONFIGS)


def run_of(config):
    """The name of its run."""
    return config.removesuffix(".yaml").replace("/", "_")


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """The folder in which every shipped config has run one step."""
    folder = tmp_path_factory.mktemp("runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for config in CONFIGS:
            with warnings.catch_warnings():
                # What is shipped goes well together.
                warnings.filterwarnings("error", message=KNOWN_MISTAKES)
                main(["fit", "--config", f"configs/{config}", *STEP, "--run.name", run_of(config)])
    return folder


@pytest.mark.parametrize("config", CONFIGS)
def test_every_config_runs_and_leaves_checkpoint_pictures_and_wandb_run(config, runs):
    (run,) = runs.glob(f"runs/*/{run_of(config)}")
    assert (run / "checkpoints" / "last.ckpt").is_file()
    assert list(run.glob("images/*_epoch_0001.png"))
    assert list(run.glob("wandb/offline-run-*"))


def test_configs_budget_by_epochs_and_run_on_embedded_data():
    import yaml

    for config in CONFIGS:
        settings = yaml.safe_load((shipped_configs() / config).read_text())
        assert "max_steps" not in settings["trainer"]
        assert settings["trainer"]["max_epochs"] > 0
        # Points are drawn anew.
        assert settings["data"]["class_path"] in ("FashionMNISTMini", "FashionMNISTMiniEdges", "GaussianMixture2D")


def test_points_do_not_fit_a_likelihood_of_pixels(working_folder, capsys):
    with pytest.raises(SystemExit):
        main(["fit", "--model", "VAE", "--config", "configs/data/ring.yaml", *STEP])
    assert "genzoo: a Bernoulli likelihood with values in [-1, 1] does not fit points" in capsys.readouterr().err


@pytest.mark.parametrize("overlay", sorted(path.name for path in (shipped_configs() / "trainer").glob("*.yaml")))
def test_trainer_overlays_are_understood(overlay, capsys):
    """They ask for GPUs, so that no trainer can be made of them everywhere."""
    with pytest.raises(SystemExit) as stop:
        main(["fit", "--config", "configs/vae.yaml", "--config", f"configs/trainer/{overlay}", "--print_config"])
    assert stop.value.code == 0
    assert "accelerator: gpu" in capsys.readouterr().out
