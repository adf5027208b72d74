"""What a run is, in rows of a table."""

from genzoo.report.markup import duration, element, moment
from genzoo.report.story import Story

# Of the packages whose versions are kept, those that results depend on most.
PACKAGES = ("genzoo", "torch", "lightning", "python")


def facts(story: Story) -> dict[str, object]:
    """What was run, when and how long, by the name of the row; what is not known is left out."""
    limit = story.setting("trainer.max_epochs")
    of_all = f" of {limit}" if isinstance(limit, int) and limit >= story.epochs else ""
    # Of several processes that have trained it one after the other, the first began, and the last made what there is.
    first, last = (story.provenance[place] if story.provenance else {} for place in (0, -1))
    versions, commit = last.get("versions", {}), last.get("git_commit", "")
    rows: dict[str, object] = {
        "model": story.model,
        "data": story.data,
        "checkpoint": str(story.tested) if story.tested else "",
        "state": "in training while this page was written" if story.is_in_training else "",
        "began": str(first.get("date", ""))[:16].replace("T", " "),
        "last written": moment(story.last_written),
        "time taken": duration(story.seconds),
        "device": story.training.get("device", ""),
        "epochs": f"{story.epochs}{of_all}" if story.epochs and not story.tested else "",
        "steps": f"{story.steps:,}" if story.steps and not story.tested else "",
        "batch size": story.setting("data.batch_size"),
        "seed": story.setting("seed_everything"),
        "versions": ", ".join(f"{name} {versions[name]}" for name in PACKAGES if name in versions),
        "commit": f"{commit}, with changes" if commit and last.get("git_dirty") else commit,
        "command": last.get("command", ""),
    }
    return {name: value for name, value in rows.items() if value not in ("", None)}


def alarm_list(story: Story) -> object:
    """The alarms of a run, or that there were none; nothing where that is not known."""
    if not story.alarms:
        return element("p", "None was raised.") if story.training else ""
    items = [
        element(
            "li",
            element("strong", f"Epoch {alarm.get('epoch')}, step {alarm.get('step')}: "),
            alarm.get("text", ""),
        )
        for alarm in story.alarms
    ]
    return element("ul", *items, class_="alarms")
