"""Random changes of training samples, of which a mini-batch gets new ones each time."""

from sksparse_nn._registry import Registry
from sksparse_nn.neural.augmentation._base import AbstractAugmentation, Mix, Source
from sksparse_nn.neural.augmentation._cutout import Cutout
from sksparse_nn.neural.augmentation._mirror import Mirror
from sksparse_nn.neural.augmentation._mixup import Mixup
from sksparse_nn.neural.augmentation._noise import Noise
from sksparse_nn.neural.augmentation._shift import Shift

AUGMENTATIONS = Registry(
    "augment", mirror=Mirror, shift=Shift, cutout=Cutout, mixup=Mixup, noise=Noise
)

__all__ = [
    "AbstractAugmentation",
    "Cutout",
    "Mirror",
    "Mix",
    "Mixup",
    "Noise",
    "Shift",
    "Source",
]
