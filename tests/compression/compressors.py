"""Ways of making a network smaller, and what looks into them."""

from skorch.callbacks import Callback

from sksparse_nn import (
    NetFactorizer,
    NetPruner,
    NetQuantizer,
)
from sksparse_nn._pipelines import last_step

COMPRESSORS = {
    "weights": lambda net: NetPruner(net, amount=0.6),
    "weights, step by step": lambda net: NetPruner(
        net, amount=0.8, n_steps=3, fine_tune_epochs=5
    ),
    "weights, first order": lambda net: NetPruner(
        net, amount=0.5, criterion="first_order"
    ),
    "neurons": lambda net: NetPruner(
        net, amount=0.4, structure="neuron", fine_tune_epochs=2
    ),
    "neurons, first order": lambda net: NetPruner(
        net, amount=0.3, structure="neuron", criterion="first_order", n_steps=2
    ),
    "dynamic": NetQuantizer,
    "static": lambda net: NetQuantizer(net, scheme="static"),
    "weights of 8 bits": lambda net: NetQuantizer(net, scheme="weight_only"),
    "weights of 4 bits": lambda net: NetQuantizer(net, scheme="weight_only", n_bits=4),
    "rank": lambda net: NetFactorizer(net, rank=12),
    "answers": NetFactorizer,
    "share": lambda net: NetFactorizer(net, rank=0.95, fine_tune_epochs=3),
    "pruned, then integers": lambda net: NetQuantizer(NetPruner(net, amount=0.5)),
    "factors, then pruned": lambda net: NetPruner(
        NetFactorizer(net, rank=16), amount=0.3, fine_tune_epochs=5
    ),
    "neurons, then factors, then integers": lambda net: NetQuantizer(
        NetFactorizer(NetPruner(net, amount=0.2, structure="neuron"), rank=16)
    ),
}


class Steps(Callback):
    """Counts steps, those of all its copies together."""

    taken = 0

    def on_batch_end(self, net, training=None, **kwargs):
        Steps.taken += bool(training)


def module_of(estimator):
    return last_step(estimator).net_.module_
