"""`Evaluation`: what it refuses, prints, writes and leaves behind."""

import json

import pytest

from genzoo.callbacks.final_scores import Evaluation
from genzoo.cli import main
from genzoo.data.digits import Digits
from genzoo.data.points import GaussianMixture2D
from genzoo.evaluation.score import Score
from genzoo.models.gan import GAN
from tests.evaluation.scoring import PLAYERS, loaded


@pytest.fixture(scope="module")
def digits():
    return loaded(Digits(image_size=8))


def test_what_does_not_fit_is_refused_before_a_trainer_tests(trainer):
    data = Digits(image_size=8)
    model = GAN(data_spec=data.spec, networks=PLAYERS)
    runner = trainer(callbacks=[Evaluation(groups=("classes",))])
    with pytest.raises(ValueError, match="the scores of classes do not fit: GAN is not conditioned on classes"):
        runner.test(model, datamodule=data)
    assert not runner.callback_metrics


def test_an_earlier_test_leaves_no_picture_of_neighbours(digits, trainer, tmp_path):
    evaluation = Evaluation(number=100)
    for data, expected in ((digits, True), (GaussianMixture2D(training_points=300, test_points=100), False)):
        folder = tmp_path / type(data).__name__
        runner = trainer(callbacks=[evaluation], default_root_dir=folder)
        runner.test(GAN(data_spec=data.spec, networks=PLAYERS), datamodule=data)
        assert (folder / "images" / "nearest_training_images.png").is_file() == expected
        assert (folder / "scores.json").is_file()


def test_testing_a_run_prints_and_writes_its_scores(working_folder, capsys):
    model = ["--model", "VAE", "--model.networks.hidden_features", "[8]", "--data", "Digits", "--data.image_size", "8"]
    quick = ["--trainer.accelerator", "cpu", "--trainer.max_epochs", "1", "--trainer.enable_progress_bar", "false"]
    logger = ["--trainer.logger", "genzoo.loggers.CSVLogger"]
    assert main(["fit", *model, *quick, *logger, "--run.name", "run"]) == 0
    capsys.readouterr()
    assert main(["test", "runs/vae/run", "--evaluation.likelihood_samples", "2"]) == 0
    said = capsys.readouterr().out
    folder = working_folder / "runs" / "vae" / "run_test"
    found = [Score(**entries) for entries in json.loads((folder / "scores.json").read_text())]
    assert {"fd/digits", "nll", "squared_error", "sharpness"} <= {score.name for score in found}
    assert "| fd/digits |" in said
    assert f"written to {folder.relative_to(working_folder) / 'scores.json'}" in said
    assert "test/fd/digits" in (folder / "metrics.csv").read_text()
    for asked, reason in [
        (["--evaluation.groups", "[samples, classes]"], "VAE is not conditioned on classes"),
        (["--evaluation.extractor", "fashion-mnist-plain"], "fashion-mnist-plain looks at images of 1 x 28 x 28"),
    ]:
        with pytest.raises(SystemExit, match="2"):
            main(["test", "runs/vae/run", *asked])
        assert reason in capsys.readouterr().err
    assert sorted(path.name for path in folder.parent.iterdir()) == ["run", "run_test"]


@pytest.mark.parametrize("settings", [{"number": 0}, {"likelihood_samples": 0}, {"conditional_number": -1}])
def test_numbers_that_are_none_are_refused(settings):
    with pytest.raises(ValueError, match="of Evaluation must be at least 1"):
        Evaluation(**settings)
