"""A Hub of the test alone."""

import pytest
from huggingface_hub import constants
from huggingface_hub.utils import disable_progress_bars

from tests.zoo.hub_stub import TOKEN, running_hub


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """A running Hub, which the client takes for the real one, and on which the user is logged in."""
    with running_hub() as running:
        monkeypatch.setattr(constants, "ENDPOINT", running.url)
        template = running.url + "/{repo_id}/resolve/{revision}/{filename}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub_cache"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hub_token"))
        # Large files by git's protocol: the faster one needs servers of the Hub's own.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        disable_progress_bars()
        yield running
