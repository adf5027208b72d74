"""The tools of ``genzoo latent``, one file each; `genzoo.cli.latent` lists them.

A tool's module has its name and two functions:

- ``add_options(parser)`` adds the tool's own options beside those that all tools share;
- ``draw(sampler, options)`` does what it is for and returns what is to be written, a `Drawn`. It raises a `ValueError`
  with one sentence where sampler and options do not fit, which ends the command with exit code 2.
"""
