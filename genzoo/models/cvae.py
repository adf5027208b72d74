r"""Conditional variational autoencoder.

Source: Sohn, Lee and Yan, "Learning structured output representation using deep conditional generative models",
NeurIPS 2015; with a class label as the condition, the model M2 of Kingma et al., "Semi-supervised learning with deep
generative models", NeurIPS 2014, on items whose labels are all known.

.. math:: \log p(x|y) \ge E_{q(z|x,y)}[\log p(x|z,y)] - D_{KL}(q(z|x,y) \,\|\, p(z))

From the papers: encoder and decoder are both given the condition, and z is independent of it, as in M2, so that z says
what the condition does not. Not from the papers: no prior p(z|y), which is the first choice of Sohn et al.; no
classifier q(y|x) and no unlabelled items, as in M2; networks as in `VAE`.
"""

from genzoo.models.vae import VAE
from genzoo.sampling.conditions import Condition, required_condition
from genzoo.spec import DataSpec


class ConditionalVAE(VAE):
    """VAE in which encoder and decoder are given a condition: what the data come with, usually a class label.

    Args:
        **kwargs: Arguments of `VAE`.
    """

    def condition_for(self, data_spec: DataSpec) -> Condition:
        """What the data have."""
        return required_condition(data_spec, type(self).__name__)
