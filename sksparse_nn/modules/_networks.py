"""Networks for images by name."""

from sksparse_nn.modules._plain_conv_net import PlainConvNet
from sksparse_nn.modules._resnet import ResNet8

PATCH_NET = "patch_net"  # needs a fitted coder besides the shape of images
NETWORKS = {"resnet8": ResNet8, "plain_conv_net": PlainConvNet}
