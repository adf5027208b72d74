"""The order of options on the command line, which matters to the parser and should not to who types them."""

from collections.abc import Sequence

CONFIGS = ("--config", "-c")


def in_order(arguments: Sequence[str]) -> list[str]:
    """Arguments in which each stands before what overrides it or is a setting of it; else in their own order.

    Configs come first. A class comes before its settings, ``--model VAE`` before ``--model.beta 2``: the parser reads
    them one after another, and takes a setting for one of the class that it knows by then.

    Args:
        arguments: What follows the verb.
    """
    options: list[list[str]] = []
    for argument in arguments:
        if argument.startswith("--") or _name(argument) in CONFIGS or not options:
            options.append([argument])
        else:
            options[-1].append(argument)
    # Arguments in front of all options are positional, and must not become the value of one.
    leading = [option for option in options[:1] if not option[0].startswith("-")]
    configs = [option for option in options if _name(option[0]) in CONFIGS]
    settings: list[list[str]] = []
    for option in options:
        if option in configs or option in leading:
            continue
        prefix = f"{_name(option[0])}."
        own = (place for place, earlier in enumerate(settings) if earlier[0].startswith(prefix))
        settings.insert(next(own, len(settings)), option)
    return [argument for option in (*leading, *configs, *settings) for argument in option]


def _name(argument: str) -> str:
    """The name of an option; that of the setting where it gives the class path of one."""
    return argument.partition("=")[0].removesuffix(".class_path")
