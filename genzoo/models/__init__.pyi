"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.models.acgan import ACGAN as ACGAN
from genzoo.models.autoencoder import AutoEncoder as AutoEncoder
from genzoo.models.cgan import ConditionalGAN as ConditionalGAN
from genzoo.models.cvae import ConditionalVAE as ConditionalVAE
from genzoo.models.dcgan import DCGAN as DCGAN
from genzoo.models.gan import GAN as GAN
from genzoo.models.infogan import InfoGAN as InfoGAN
from genzoo.models.unrolled_gan import UnrolledGAN as UnrolledGAN
from genzoo.models.vae import VAE as VAE
from genzoo.models.vae_gan import VAEGAN as VAEGAN
