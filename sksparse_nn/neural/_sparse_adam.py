"""Adam for the weights of sparse input, without storing their gradient.

The gradient is as large as the weights and mostly zero: writing and reading it took
most of the training time on sparse input.
"""

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import numpy as np
import torch
from sklearn.utils import gen_even_slices
from torch import optim

from sksparse_nn.kernels.adam import adam_steps, by_column
from sksparse_nn.modules._perceptron import Perceptron
from sksparse_nn.modules._sparse_input import write_product

# Multiply-adds below which waking a thread costs more than it saves.
_WORTH_THREADS = 2e6


@contextmanager
def step_first_layer(net, samples):
    """Let the first layer update itself during a training, if possible.

    That needs Adam, sparse input, and no callback that may read gradients.

    Parameters
    ----------
    net : Net
        The net to train.

    samples : TrainingSamples
        Training samples.
    """
    if not _is_possible(net, samples):
        yield
        return
    with ThreadPoolExecutor(torch.get_num_threads()) as pool:
        weight = net.module_[0].weight
        net.module_.trainer = FirstLayerAdam(net.optimizer_, weight, pool)
        try:
            yield
        finally:
            del net.module_.trainer


def _is_possible(net, samples):
    return (
        samples.sparse_dtype is not None
        and net.average is None
        and isinstance(net.module_, Perceptron)
        and type(net.optimizer_) in (optim.Adam, optim.AdamW)
        and not any(g["amsgrad"] or g["maximize"] for g in net.optimizer_.param_groups)
        and not net.is_watched
        and net.module_[0].weight.requires_grad
        and net.module_[0].weight.t().is_contiguous()
    )


class FirstLayerAdam:
    """Steps of torch's Adam for one weight, with the state arrays of the optimizer.

    Parameters
    ----------
    optimizer : torch.optim.Adam or torch.optim.AdamW
        The optimizer of a net.

    weight : Parameter of shape (n_neurons, n_features)
        One of its parameters, stored feature by feature.

    pool : Executor
        Its threads share the work, in one part per thread of torch.
    """

    def __init__(self, optimizer, weight, pool):
        self._optimizer, self._weight, self._pool = optimizer, weight, pool
        self._n_parts = torch.get_num_threads()

    @property
    def is_alone(self):
        """Return whether no hook reads the gradient or the step.

        Returns
        -------
        is_alone : bool
            If False, the gradient must be computed.
        """
        weight, optimizer = self._weight, self._optimizer
        hooks = (
            weight._backward_hooks,
            weight._post_accumulate_grad_hooks,
            optimizer._optimizer_step_pre_hooks,
            optimizer._optimizer_step_post_hooks,
        )
        return not any(hooks)

    def write_product(self, rows, B, out):
        """Write the product of sparse rows and a matrix.

        Parameters
        ----------
        rows : SparseBatch
            Left factor.

        B : ndarray of shape (n_features, n_columns)
            Right factor.

        out : ndarray of shape (n_rows, n_columns)
            Overwritten.
        """
        if len(rows.data) * B.shape[1] < _WORTH_THREADS:
            write_product(rows, B, out)
        else:
            self._share(partial(write_product, rows, B, out), len(rows))

    def step(self, rows, gradient):
        """Make a step.

        Parameters
        ----------
        rows : SparseBatch
            Input of the layer.

        gradient : ndarray of shape (n_rows, n_neurons)
            Gradient of its product with the weights.
        """
        state = self._state()
        state["step"] += 1
        arrays = (self._weight.detach(), state["exp_avg"], state["exp_avg_sq"])
        arrays = [array.t().numpy() for array in arrays]
        columns, rates = _by_column(rows), self._rates(state["step"].item())

        def step(part):
            features = part.start, part.stop
            adam_steps(columns, gradient, *arrays, rates, features)

        self._share(step, rows.n_features)

    def _share(self, function, n):
        """Call a function on parts of a range, the first on this thread."""
        first, *others = gen_even_slices(n, self._n_parts)
        tasks = [self._pool.submit(function, part) for part in others]
        function(first)
        for task in tasks:
            task.result()

    def _state(self):
        """Return the optimizer's state of the weight, initialized as by torch."""
        state = self._optimizer.state[self._weight]
        if not state:
            state["step"] = torch.tensor(0.0)
            for name in ("exp_avg", "exp_avg_sq"):
                state[name] = torch.zeros_like(self._weight.detach())
        return state

    def _rates(self, step):
        group = next(  # `load_state_dict` makes new ones
            group
            for group in self._optimizer.param_groups
            if any(self._weight is parameter for parameter in group["params"])
        )
        (first, second), decay = group["betas"], group["weight_decay"]
        is_apart = group["decoupled_weight_decay"]
        rates = [
            *(first, 1 - first, second, 1 - second),
            group["lr"] / (1 - first**step),
            1 / np.sqrt(1 - second**step),
            group["eps"],
            1 - group["lr"] * decay if is_apart else 1.0,
            0.0 if is_apart else decay,
        ]
        dtype = self._weight.detach().numpy().dtype.type
        return tuple(dtype(rate) for rate in rates)


def _by_column(rows):
    starts = np.empty(rows.n_features + 1, np.int64)
    where, values = np.empty(len(rows.indices), np.int32), np.empty_like(rows.data)
    by_column(rows.indptr, rows.indices, rows.data, starts, where, values)
    return starts, where, values
