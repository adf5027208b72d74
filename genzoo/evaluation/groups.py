"""All groups of scores: which of them fit, and their scores, where one that fails loses no other."""

import logging
from collections.abc import Iterator, Sequence

from genzoo.data.digits import StackedDigits
from genzoo.evaluation.classes import ClassesGroup
from genzoo.evaluation.compared import Comparison
from genzoo.evaluation.likelihood import LikelihoodGroup
from genzoo.evaluation.modes import ModesGroup
from genzoo.evaluation.parzen import ParzenGroup
from genzoo.evaluation.reconstruction import ReconstructionGroup
from genzoo.evaluation.representation import RepresentationGroup
from genzoo.evaluation.samples import SamplesGroup
from genzoo.evaluation.score import Score
from genzoo.evaluation.score_group import GroupName, ScoreGroup
from genzoo.evaluation.suited_extractors import extractors_for

GROUPS: dict[GroupName, ScoreGroup] = {
    group.name: group
    for group in (
        SamplesGroup(),
        LikelihoodGroup(),
        ReconstructionGroup(),
        ClassesGroup(),
        ModesGroup(),
        RepresentationGroup(),
        ParzenGroup(),
    )
}

# Errors of data, weights or devices are logged in a line. All others are bugs, and logged with their traceback.
FORESEEN = (ValueError, OSError, RuntimeError, ImportError)

logger = logging.getLogger(__name__)


def require_fit(comparison: Comparison, named: Sequence[GroupName] | None) -> None:
    """Asks whether all can be computed that was named; no data need be loaded.

    Args:
        comparison: What is compared with what.
        named: The groups that were asked for; None if none were.

    Raises:
        ValueError: If a group does not fit the model or the data, or the extractor does not.
    """
    model, data = comparison.model, comparison.data
    groups = [GROUPS[name] for name in named or ()]
    for group in groups:
        if reason := group.misfit(model, data):
            raise ValueError(f"the scores of {group.name} do not fit: {reason}; leave {group.name} out of the groups")
    # Only once all groups fit, since an extractor may have to be downloaded.
    for group in groups:
        group.extractors(comparison)
    if comparison.extractor is None or GROUPS["samples"] in groups:
        return
    # An extractor that is named is meant for samples too, where these fit; with stacked digits perhaps for single ones.
    if GROUPS["samples"].misfit(model, data) is None and not isinstance(data, StackedDigits):
        GROUPS["samples"].extractors(comparison)
    else:
        extractors_for(data, comparison.extractor)


def all_scores(comparison: Comparison, named: Sequence[GroupName] | None) -> Iterator[Score]:
    """The scores of the groups that fit. A group that fails is left out with a line in the log.

    Args:
        comparison: What is compared with what; all parts of the data are loaded.
        named: The groups that are wanted; None: those that are computed by default.
    """
    by_default = [name for name, group in GROUPS.items() if group.is_computed_by_default]
    for name in by_default if named is None else named:
        group = GROUPS[name]
        try:
            if group.misfit(comparison.model, comparison.data) is None:
                yield from group.scores(comparison)
        except Exception as error:
            # Whatever it is, it must not cost the scores that took minutes before it.
            is_bug = not isinstance(error, FORESEEN)
            logger.warning("genzoo: not all scores of %s can be computed: %s", name, error, exc_info=is_bug)
