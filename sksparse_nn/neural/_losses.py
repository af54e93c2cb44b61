"""Losses per sample, averaged with weights."""

import torch
from torch.nn import functional


class WeightedLoss(torch.nn.Module):
    """The mean of weight times loss over the samples of a batch.

    Weights are normalised over the data, not per batch: dividing by the weights of a
    mini-batch would cancel class weights in small batches.
    """

    def forward(self, output, target, weight=None):
        """Average the losses of a batch.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Output of the module.

        target : Tensor of shape (n_rows, ...)
            Targets.

        weight : Tensor of shape (n_rows,) or None, default=None
            Weights, of mean one over the data; None for ones.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.
        """
        if weight is None:
            return self.mean_loss(output, target)
        return torch.dot(self.row_losses(output, target), weight) / len(weight)

    def with_gradient(self, output, target, weight=None):
        """Return the weighted mean and its gradient.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Output of the module.

        target : Tensor of shape (n_rows, ...)
            Targets.

        weight : Tensor of shape (n_rows,) or None, default=None
            Weights, as `forward` takes them.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.

        gradient : Tensor of shape (n_rows, n_outputs)
            Its derivatives with respect to the output.
        """
        with torch.enable_grad():
            output = output.detach().requires_grad_()
            loss = self(output, target, weight)
            return loss.detach(), *torch.autograd.grad(loss, output)


class CrossEntropy(WeightedLoss):
    """Minus the log-probability of the right class.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of the target that is split equally among all classes.
    """

    def __init__(self, label_smoothing=0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def row_losses(self, output, target):
        """Return the loss per sample.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_classes)
            Logits.

        target : Tensor of int64 of shape (n_rows,)
            Positions of the right classes.

        Returns
        -------
        losses : Tensor of shape (n_rows,)
            The losses, in nats.
        """
        return functional.cross_entropy(
            output, target, reduction="none", label_smoothing=self.label_smoothing
        )

    def mean_loss(self, output, target):
        """Return the mean of the losses, in one operation.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_classes)
            Logits.

        target : Tensor of int64 of shape (n_rows,)
            Positions of the right classes.

        Returns
        -------
        loss : Tensor of shape ()
            The mean.
        """
        return functional.cross_entropy(
            output, target, label_smoothing=self.label_smoothing
        )

    def with_gradient(self, output, target, weight=None):
        """Return the weighted mean and its gradient.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_classes)
            Logits.

        target : Tensor of int64 of shape (n_rows,)
            Positions of the right classes.

        weight : Tensor of shape (n_rows,) or None, default=None
            Weights, as `forward` takes them.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.

        gradient : Tensor of shape (n_rows, n_classes)
            Probabilities minus smoothed targets, times weights, over the batch size.
        """
        if self.label_smoothing or weight is not None:
            return super().with_gradient(output, target, weight)
        log_probabilities = torch.log_softmax(output, dim=1)
        loss = functional.nll_loss(log_probabilities, target)
        gradient = log_probabilities.exp_()
        gradient.scatter_(1, target[:, None], -1.0, reduce="add")
        return loss, gradient.div_(len(target))


class BinaryCrossEntropy(WeightedLoss):
    """Minus the log-probability of each label being as it is, averaged over labels.

    Parameters
    ----------
    label_smoothing : float, default=0.0
        Share of each target that is split equally between both outcomes.
    """

    def __init__(self, label_smoothing=0.0):
        super().__init__()
        self.label_smoothing = label_smoothing

    def forward(self, output, target, weight=None):
        """Average the losses of a batch.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_labels)
            Logits.

        target : Tensor of bool of shape (n_rows, n_labels)
            Which labels samples have.

        weight : Tensor of shape (n_rows,) or (n_rows, n_labels) or None, default=None
            Weights, of mean one over the data; None for ones.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.
        """
        if weight is None or weight.ndim == 1:
            return super().forward(output, target, weight)
        return (self._losses(output, target, "none") * weight).mean()

    def row_losses(self, output, target):
        """Return the loss per sample.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_labels)
            Logits.

        target : Tensor of bool of shape (n_rows, n_labels)
            Which labels samples have.

        Returns
        -------
        losses : Tensor of shape (n_rows,)
            The losses, in nats.
        """
        return self._losses(output, target, "none").mean(dim=1)

    def mean_loss(self, output, target):
        """Return the mean of the losses, in one operation.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_labels)
            Logits.

        target : Tensor of bool of shape (n_rows, n_labels)
            Which labels samples have.

        Returns
        -------
        loss : Tensor of shape ()
            The mean.
        """
        return self._losses(output, target, "mean")

    def _losses(self, output, target, reduction):
        target = target.to(output.dtype)
        if self.label_smoothing:
            target = target.lerp(torch.full_like(target, 0.5), self.label_smoothing)
        return functional.binary_cross_entropy_with_logits(
            output, target, reduction=reduction
        )


class NumberLoss(WeightedLoss):
    """A loss of standardised numbers, averaged over the outputs.

    Parameters
    ----------
    loss : RegressionLoss
        The loss of each number.
    """

    def __init__(self, loss):
        super().__init__()
        self.loss = loss

    def row_losses(self, output, target):
        """Return the loss per sample.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Predictions.

        target : Tensor of shape (n_rows, n_outputs, ...)
            Targets.

        Returns
        -------
        losses : Tensor of shape (n_rows,)
            The losses.
        """
        return self.loss.measure(output, target, "none").mean(dim=1)

    def mean_loss(self, output, target):
        """Return the mean of the losses, in one operation.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Predictions.

        target : Tensor of shape (n_rows, n_outputs, ...)
            Targets.

        Returns
        -------
        loss : Tensor of shape ()
            The mean.
        """
        return self.loss.measure(output, target, "mean")

    def with_gradient(self, output, target, weight=None):
        """Return the weighted mean and its gradient.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Predictions.

        target : Tensor of shape (n_rows, n_outputs, ...)
            Targets.

        weight : Tensor of shape (n_rows,) or None, default=None
            Weights, as `forward` takes them.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.

        gradient : Tensor of shape (n_rows, n_outputs)
            Slopes of the losses times weights, divided by their number.
        """
        slopes = self.loss.slopes(output, target) / output.numel()
        slopes = slopes if weight is None else slopes * weight[:, None]
        return self(output, target, weight), slopes


class OwnClassLoss(WeightedLoss):
    """A loss written by the user.

    Parameters
    ----------
    function : callable
        Takes outputs and targets, returns losses of shape (n_rows,) or
        (n_rows, n_outputs).
    """

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, output, target, weight=None):
        """Average the losses of a batch.

        Parameters
        ----------
        output : Tensor of shape (n_rows, n_outputs)
            Output of the module.

        target : Tensor of shape (n_rows, ...)
            Targets.

        weight : Tensor of shape (n_rows,) or (n_rows, n_outputs) or None, default=None
            Weights, of mean one over the data; None for ones.

        Returns
        -------
        loss : Tensor of shape ()
            The weighted mean.

        Raises
        ------
        ValueError
            If there are weights per output but losses per sample.
        """
        losses = call_own_loss(self.function, output, target)
        if weight is None:
            return losses.mean()
        if weight.ndim > losses.ndim:
            raise ValueError(
                "class_weight of several labels needs a loss that returns a number for "
                f"each label of a row. Got shape {tuple(losses.shape)}."
            )
        if losses.ndim > weight.ndim:
            losses = losses.mean(dim=1)
        return (losses * weight).mean()


def call_own_loss(function, output, target):
    """Call a loss written by the user, and check its result.

    Parameters
    ----------
    function : callable
        The loss.

    output : Tensor of shape (n_rows, n_outputs)
        Output of a network.

    target : Tensor of shape (n_rows, ...)
        Targets; booleans are passed as numbers.

    Returns
    -------
    losses : Tensor of shape (n_rows,) or (n_rows, n_outputs)
        The losses.

    Raises
    ------
    ValueError
        If the losses have another shape.
    """
    target = target.to(output.dtype) if target.dtype == torch.bool else target
    losses = function(output, target)
    shape = getattr(losses, "shape", None)
    if shape not in (output.shape, output.shape[:1]):
        raise ValueError(
            "loss(output, target) must return the loss of each row, of shape "
            f"{tuple(output.shape[:1])} or {tuple(output.shape)}. Got "
            f"{losses if shape is None else tuple(shape)}; torch's own losses do that "
            'with reduction="none".'
        )
    return losses
