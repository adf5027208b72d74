"""That it does not matter in which order options are given."""

import pytest

from genzoo.cli import main
from genzoo.cli.order import in_order


@pytest.mark.parametrize(
    ("given", "read"),
    [
        (
            "--model.beta 2 --config a.yaml --run.name=x -c=b.yaml",
            "--config a.yaml -c=b.yaml --model.beta 2 --run.name=x",
        ),
        ("--data.image_size 28 --run.name x --data Mine", "--data Mine --data.image_size 28 --run.name x"),
        (
            "--model.networks.width 8 --model.networks=A --model.beta 2 --model VAE",
            "--model VAE --model.networks=A --model.networks.width 8 --model.beta 2",
        ),
        ("--model.init_args.beta 2 --model.class_path VAE", "--model.class_path VAE --model.init_args.beta 2"),
        ("samples --data.root x --data Mine", "samples --data Mine --data.root x"),
        ("--model.optimizer.lr -1 --model VAE", "--model VAE --model.optimizer.lr -1"),
    ],
)
def test_configs_come_before_settings_and_classes_before_theirs(given, read):
    assert in_order(given.split()) == read.split()


@pytest.mark.parametrize(
    "kept",
    [
        "--model VAE --model.beta 2 --data Mine --data.root x",
        # Settings of one entry of a list come after it, and before the next.
        "--trainer.callbacks+=A --trainer.callbacks.x 1 --trainer.callbacks+=B --trainer.callbacks.x 2",
        "--config --model",
        "",
    ],
)
def test_the_order_is_kept_where_it_says_something(kept):
    assert in_order(kept.split()) == kept.split()


@pytest.mark.usefixtures("working_folder")
@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("fit --config configs/vae.yaml --data.root nowhere --data ImageFolder", "set root to a folder of images"),
        ("fit --model.beta -1 --model VAE --data FashionMNISTMini", "beta must not be negative"),
        ("evaluate . --data.root nowhere --data ImageFolder", ". holds no images"),
    ],
)
def test_settings_may_be_given_before_the_class_that_has_them(command, said, capsys):
    with pytest.raises(SystemExit) as stop:
        main(command.split())
    assert stop.value.code == 2
    assert said in capsys.readouterr().err
