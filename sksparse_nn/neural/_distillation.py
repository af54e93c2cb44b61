"""Training on the outputs of another network, in place of targets."""

import torch
from torch import nn
from torch.nn import functional

from sksparse_nn.neural._nets import ClassifierNet, MultilabelNet


class Teacher:
    """A network whose outputs a net is trained to give.

    Parameters
    ----------
    module : torch.nn.Module
        In evaluation mode. It does not change.

    net : skorch.NeuralNet
        The net to train, which says what outputs mean.
    """

    def __init__(self, module, net):
        self.module = module
        self._compare = _choose_comparison(net)

    def __deepcopy__(self, memo):
        """Return the teacher itself, as nothing changes it."""
        return self

    def loss(self, outputs, wanted, weight=None):
        """Compare the outputs of a mini-batch with those of the teacher.

        Parameters
        ----------
        outputs, wanted : Tensor of shape (n_rows, ...)
            Of the network in training, and of the teacher.

        weight : Tensor of shape (n_rows,) or (n_rows, n_outputs) or None, default=None
            Weights, of mean one over the data; None for ones.

        Returns
        -------
        loss : Tensor of shape ()
            Zero if the outputs are equal.
        """
        losses = self._compare(outputs, wanted) * _differs(outputs, wanted)
        if weight is None:
            return losses.mean()
        weight = weight.to(losses)
        if weight.ndim < losses.ndim:
            losses = losses.reshape(len(losses), -1).mean(dim=1)
        return (losses * weight).mean()


@torch.no_grad()
def _differs(outputs, wanted):
    """Return whether outputs of a sample do not agree to half of their digits.

    Adam's steps have the same length for gradients that are rounding, so a network
    that has lost nothing would go astray.
    """
    floor = torch.finfo(wanted.dtype).eps ** 0.5 * wanted.abs().max()
    is_off = (outputs - wanted).abs() > floor
    is_off = is_off.reshape(len(outputs), -1).any(dim=1)
    return is_off.reshape(-1, *[1] * (outputs.ndim - 1))


def _choose_comparison(net):
    criterion = getattr(net, "criterion_", None)
    if isinstance(net, MultilabelNet) or isinstance(criterion, nn.BCEWithLogitsLoss):
        return _compare_labels
    if isinstance(net, ClassifierNet) or isinstance(criterion, nn.CrossEntropyLoss):
        return _compare_classes
    return _compare_numbers


def _compare_classes(outputs, wanted):
    """Return divergences of the probabilities of classes, of shape (n_rows, 1)."""
    logs = [torch.log_softmax(logits, dim=1) for logits in (outputs, wanted)]
    losses = functional.kl_div(*logs, reduction="none", log_target=True)
    return losses.sum(dim=1, keepdim=True)


def _compare_labels(outputs, wanted):
    """Return divergences of the probabilities of each label."""
    measure = functional.binary_cross_entropy_with_logits
    probabilities = torch.sigmoid(wanted)
    losses = measure(outputs, probabilities, reduction="none")
    return losses - measure(wanted, probabilities, reduction="none")


def _compare_numbers(outputs, wanted):
    """Return half the squared differences, as of the numbers of regressors."""
    return (outputs - wanted).square() / 2
