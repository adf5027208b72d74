"""Entries on the Hugging Face Hub: fetched into its own cache, and pushed as one commit, by its own client."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from genzoo import __version__
from genzoo.extras import import_extra
from genzoo.zoo.entry import CARD, FILES, RECORD, WEIGHTS, Entry, EntryError, is_entry, read_entry

PREFIX = "hub:"
ADDRESS = re.compile(r"(?P<repository>\w[\w.-]*/\w[\w.-]*)(@(?P<revision>[\w./-]+))?")
USER, EXTRA = "the Hugging Face Hub", "'genzoo[hub]'"
SECONDS = 10
LOGIN = "log in with `hf auth login`, or set the variable HF_TOKEN"


def is_address(place: str) -> bool:
    """Whether a place may be a repository of the Hub, ``user/name`` or ``user/name@revision``, with ``hub:`` or not."""
    return ADDRESS.fullmatch(place.removeprefix(PREFIX)) is not None


def require_repository(address: str) -> str:
    """The name of the repository that is to be pushed to.

    Raises:
        ValueError: If it is none.
    """
    found = ADDRESS.fullmatch(address.removeprefix(PREFIX))
    if found is None or found["revision"]:
        raise ValueError(f"{address!r} is no repository of the Hugging Face Hub; give hub:USER/NAME")
    return found["repository"]


def fetch(address: str, file: str = WEIGHTS) -> Entry:
    """Brings the record of an entry of the Hub, and one of its files, into the Hub's cache on this machine.

    What is there already, and unchanged, is not fetched again; without a network what is in the cache is taken.

    Args:
        address: ``user/name`` or ``user/name@revision``, where a revision is a branch, a tag or a commit.
        file: Its weights, if left out.

    Raises:
        ModuleNotFoundError: If the package huggingface_hub is not installed.
        ValueError: If there is no such repository, or it holds no model of genzoo.
        ConnectionError: If the Hub cannot be reached.
    """
    found = ADDRESS.fullmatch(address.removeprefix(PREFIX))
    assert found is not None
    repository = found["repository"]
    api = _api()
    with _answered(repository):
        is_offline = not _is_reached(api, repository, found["revision"])
        # The record alone at first: nobody wants the gigabytes of what is no model of genzoo.
        record = Path(api.hf_hub_download(repository, RECORD, revision=found["revision"], local_files_only=is_offline))
        read_entry(record.parent)
        # Of the same commit, which the Hub's cache names its folder after.
        api.hf_hub_download(repository, file, revision=record.parent.name, local_files_only=is_offline)
    return replace(read_entry(record.parent, "Hugging Face Hub"), name=repository)


def require_room(repository: str, overwrite: bool) -> None:
    """Requires that one can push to a repository, before anything is made for it.

    Args:
        repository: ``user/name``; it need not be there yet.
        overwrite: Whether a model that it holds may be replaced.

    Raises:
        ModuleNotFoundError: If the package huggingface_hub is not installed.
        PermissionError: If one is not logged in.
        FileExistsError: If it holds files and is not to be overwritten.
        ConnectionError: If the Hub cannot be reached.
    """
    api = _api()
    with _answered(repository):
        api.whoami()
        try:
            held = set(api.list_repo_files(repository)) - {".gitattributes"}
        except _errors().RepositoryNotFoundError:
            return
    # A repository made on the web site has a card that says nothing.
    if held - {CARD} and not overwrite:
        raise FileExistsError(
            f"the repository {repository} of the Hugging Face Hub holds files already ({', '.join(sorted(held)[:3])}, "
            "...) and is not overwritten; give --overwrite to add a commit that replaces them (the earlier ones stay "
            "in its history), or choose another name"
        )


def push(folder: Path, repository: str, private: bool | None = None) -> str:
    """Pushes an entry as one commit; the repository is made if need be.

    Args:
        folder: Of the entry.
        repository: ``user/name``.
        private: Whether a repository that is made can be seen by its owner alone; None: as its owner has set.

    Returns:
        The address of the commit.

    Raises:
        PermissionError: If one is not logged in, or may not write there.
        ConnectionError: If the Hub cannot be reached.
    """
    assert is_entry(folder)
    api = _api()
    with _answered(repository):
        api.create_repo(repository, private=private, exist_ok=True)
        # A file that the new entry lacks, such as its scores, must not stay from an earlier one.
        commit = api.upload_folder(
            repo_id=repository,
            folder_path=folder,
            allow_patterns=list(FILES),
            delete_patterns=list(FILES),
            commit_message=f"Publish with genzoo {__version__}",
        )
    return str(commit.commit_url)


def _api() -> Any:
    hub = import_extra("huggingface_hub", "huggingface_hub", USER, EXTRA)
    return hub.HfApi(library_name="genzoo", library_version=__version__)


def _errors() -> Any:
    return import_extra("huggingface_hub.errors", "huggingface_hub", USER, EXTRA)


def _is_reached(api: Any, repository: str, revision: str | None) -> bool:
    """Whether the Hub answers; asked once, where a download would try for half a minute."""
    errors = _errors()
    try:
        api.model_info(repository, revision=revision, timeout=SECONDS)
    except errors.HfHubHTTPError:
        raise
    # Whichever library the client fetches with, the errors of that are related to those of the Hub.
    except (errors.OfflineModeIsEnabled, errors.HTTPError):
        return False
    return True


@contextmanager
def _answered(repository: str) -> Iterator[None]:
    """Says in a sentence what the Hub or the way to it refuses."""
    errors = _errors()
    try:
        yield
    except errors.LocalTokenNotFoundError as error:
        raise PermissionError(f"you are not logged in to the Hugging Face Hub; {LOGIN}") from error
    except errors.GatedRepoError as error:
        raise PermissionError(
            f"the owner of the repository {repository} grants access to it on request; ask for it on the web site of "
            f"the Hugging Face Hub, and {LOGIN}"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ValueError(
            f"there is no repository {repository} on the Hugging Face Hub, or it is private and you may not see it; "
            f"correct the name, or {LOGIN}"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise ValueError(
            f"the repository {repository} has no such revision; give a branch, a tag or a commit of it"
        ) from error
    except errors.RemoteEntryNotFoundError as error:
        raise EntryError(
            f"the repository {repository} of the Hugging Face Hub holds no model of genzoo: {RECORD} or {WEIGHTS} is "
            "not in it; give one that genzoo publish has written"
        ) from error
    except errors.HFValidationError as error:
        raise ValueError(f"{repository} is no name of a repository on the Hugging Face Hub: {error}") from error
    except (errors.HfHubHTTPError, RuntimeError) as error:
        if getattr(getattr(error, "response", None), "status_code", None) in (401, 403):
            raise PermissionError(
                f"the Hugging Face Hub refuses this for {repository}: you are not logged in, or your token has not the "
                f"right to it; {LOGIN}"
            ) from error
        first_line = str(error).partition("\n")[0]
        raise ConnectionError(
            f"the Hugging Face Hub answers for {repository}: {first_line}; try again later"
        ) from error
    except (errors.LocalEntryNotFoundError, errors.OfflineModeIsEnabled, errors.HTTPError) as error:
        raise ConnectionError(
            f"the Hugging Face Hub cannot be reached for {repository}; see to the network (or to the variables "
            "HF_ENDPOINT and HF_HUB_OFFLINE) and try again; if a path was meant, there is none of that name"
        ) from error
