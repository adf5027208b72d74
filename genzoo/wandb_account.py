"""What is asked of Weights & Biases before anything is sent there."""

import os


def is_logged_in() -> bool:
    """Whether this machine has credentials for W&B; never prompts, and asks no server.

    Raises:
        wandb.errors.AuthenticationError: If there is a key that cannot be one.
    """
    import wandb

    return bool(wandb.login(prompt=False, verify=False))


def keep_wandb_quiet() -> None:
    """Leaves what is to be said to genzoo, unless ``WANDB_SHOW_INFO`` asks for W&B's own lines; warnings stay."""
    import wandb

    if "WANDB_SHOW_INFO" not in os.environ:
        wandb.setup(wandb.Settings(show_info=False))
