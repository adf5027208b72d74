"""The public names, for type checkers; written by scripts/write_public_names.py."""

from genzoo.networks.architectures import EncoderDecoder as EncoderDecoder
from genzoo.networks.architectures import Players as Players
from genzoo.networks.conditioning import ConditionedLayers as ConditionedLayers
from genzoo.networks.conditioning import ImageLayers as ImageLayers
from genzoo.networks.conditioning import VectorLayers as VectorLayers
from genzoo.networks.convolutional import ConvolutionalEncoderDecoder as ConvolutionalEncoderDecoder
from genzoo.networks.deep_convolutional import DCGANDiscriminator as DCGANDiscriminator
from genzoo.networks.deep_convolutional import DCGANGenerator as DCGANGenerator
from genzoo.networks.deep_convolutional import DCGANPlayers as DCGANPlayers
from genzoo.networks.discriminator import Discriminator as Discriminator
from genzoo.networks.discriminator import LayeredDiscriminator as LayeredDiscriminator
from genzoo.networks.image_to_image import ImageToImagePlayers as ImageToImagePlayers
from genzoo.networks.image_to_image import UNetGenerator as UNetGenerator
from genzoo.networks.maxout import Maxout as Maxout
from genzoo.networks.maxout_players import MaxoutPlayers as MaxoutPlayers
from genzoo.networks.mlp import GatedLinear as GatedLinear
from genzoo.networks.mlp import GatedMLPEncoderDecoder as GatedMLPEncoderDecoder
from genzoo.networks.mlp import MLPDiscriminator as MLPDiscriminator
from genzoo.networks.mlp import MLPEncoderDecoder as MLPEncoderDecoder
from genzoo.networks.mlp import MLPGenerator as MLPGenerator
from genzoo.networks.mlp import MLPPlayers as MLPPlayers
from genzoo.networks.residual import ResidualBlock as ResidualBlock
from genzoo.networks.residual import ResidualEncoderDecoder as ResidualEncoderDecoder
