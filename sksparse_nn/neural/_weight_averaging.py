"""Moving average of the weights of a network in training."""

from contextlib import contextmanager

import torch


class WeightAverage:
    """Exponential moving average of weights, and of statistics such as batch norms'.

    A network trains with its own weights and has the averages in between.

    Parameters
    ----------
    module : torch.nn.Module
        The network.

    decay : float
        What the average keeps of itself at each step. At first it keeps less, so that
        the initial weights are soon forgotten.
    """

    def __init__(self, module, decay):
        self.decay = decay
        self.n_steps = 0
        self._mean = _copy(_floats(module))
        self._own = None

    @contextmanager
    def training(self, module):
        """Give a network its own weights for the body, and the averages after it.

        Parameters
        ----------
        module : torch.nn.Module
            The network, or a copy of it.
        """
        live = _floats(module)
        self._take_out(live)
        try:
            yield lambda: self._update(live)
        finally:
            self._put_in(live)

    @torch.no_grad()
    def _update(self, live):
        decay = min(self.decay, (1 + self.n_steps) / (10 + self.n_steps))
        torch._foreach_lerp_(self._mean, live, 1 - decay)
        self.n_steps += 1

    @torch.no_grad()
    def _put_in(self, live):
        self._own = _copy(live)
        for values, mean in zip(live, self._mean, strict=True):
            # Penalties make weights zero, which no average of them is.
            mean.masked_fill_(values == 0, 0)
            values.copy_(mean)

    @torch.no_grad()
    def _take_out(self, live):
        if self._own is None:
            return
        if len(live) == len(self._mean) and all(map(torch.equal, live, self._mean)):
            for values, own in zip(live, self._own, strict=True):
                values.copy_(own)
        else:  # others were loaded in between
            self._mean = _copy(live)
            self.n_steps = 0
        self._own = None


def _floats(module):
    values = [*module.parameters(), *module.buffers()]
    return [some for some in values if some.is_floating_point()]


def _copy(live):
    return [values.detach().clone() for values in live]
