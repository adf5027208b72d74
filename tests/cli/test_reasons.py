"""Messages of the parser, and what is found in them."""

import pytest

from genzoo.cli.reasons import reasons
from genzoo.cli.sentences import sentence

NO_LOGGER = """\
Does not validate against any of the Union subtypes
Subtypes: [<class 'lightning.pytorch.loggers.logger.Logger'>, <class 'bool'>, <class 'NoneType'>]
Errors:
  - Neither `tensorboard` nor `tensorboardX` is available. Try `pip install`ing either.
    Requirement 'tensorboardX' not met. HINT: Try running `pip install -U 'tensorboardX'`
    Requirement 'tensorboard' not met. HINT: Try running `pip install -U 'tensorboard'`
  - Expected a <class 'bool'>
  - Expected a <class 'NoneType'>
Given value type: <class 'jsonargparse._namespace.Namespace'>
Given value: Namespace(class_path='lightning.pytorch.loggers.TensorBoardLogger', init_args=Namespace(save_dir='.'))"""

NESTED = """\
Parser key "model":
  Does not validate against any of the Union subtypes
  Subtypes: [<class 'genzoo.training.model.GenerativeModel'>, <class 'NoneType'>]
  Errors:
    - Problem with given class_path 'genzoo.VAE':
        Parser key "optimizer":
          Type typing.Callable[[collections.abc.Iterable], torch.optim.Optimizer] expects a function or a callable \
class: Parser key "lr":

            - Expected a path but a
            b either not accessible or invalid
            - Does not validate against any of the Union subtypes
            Subtypes: [<class 'float'>, <class 'torch.Tensor'>]
            Errors:
              - Expected a <class 'float'>
              - Expected a dot import path string: a
              b
            Given value type: <class 'str'>
            Given value: a
            b. Got value: Namespace(class_path='torch.optim.Adam', init_args=Namespace(lr='a\\nb'))
    - Expected a <class 'NoneType'>
  Given value type: <class 'jsonargparse._util.NestedArg'>
  Given value: NestedArg(key='optimizer.lr', val='a\\nb')"""

OWN = """\
Parser key "model":
  Does not validate against any of the Union subtypes
  Subtypes: [<class 'genzoo.training.model.GenerativeModel'>, <class 'NoneType'>]
  Errors:
    - Problem with given class_path 'mine.MyVAE':
        the library that mine needs
        - could not be loaded
            from anywhere
        since it is of another machine
    - Expected a <class 'NoneType'>
  Given value type: <class 'str'>
  Given value: mine.MyVAE"""


def test_the_innermost_setting_is_found_with_all_ways_to_read_it():
    found = reasons(NESTED)
    assert [reason.text for reason in found] == [
        "Expected a <class 'float'>",
        "Expected a dot import path string: a\nb",
    ]
    for reason in found:
        assert reason.settings == ("model", "optimizer", "lr")
        assert reason.classes == ("genzoo.VAE",)
        assert reason.owner == "genzoo.VAE"
        assert reason.given == "a\nb"
    assert sentence(NESTED) == "lr should be a number, got a\nb"


def test_what_says_more_than_a_type_decides():
    (reason,) = reasons(NO_LOGGER)
    assert reason.text.startswith("Neither `tensorboard`")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            NO_LOGGER,
            """\
Requirement 'tensorboard' not met. HINT: Try running `pip install -U 'tensorboard'`
  Neither `tensorboard` nor `tensorboardX` is available. Try `pip install`ing either.
  Requirement 'tensorboardX' not met. HINT: Try running `pip install -U 'tensorboardX'`""",
        ),
        (
            OWN,
            """\
model: since it is of another machine, got mine.MyVAE
  the library that mine needs
  - could not be loaded
      from anywhere""",
        ),
        ("something that nobody knows", "something that nobody knows"),
        ("first\n\nsecond\n", "second\n  first"),
        ('Parser key "trainer.x": it cannot be', "trainer.x: it cannot be"),
        ("", ""),
    ],
)
def test_what_is_not_known_is_shown_whole_with_its_last_line_first(message, expected):
    assert sentence(message) == expected
