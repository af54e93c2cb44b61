"""Choice of the ranks of all layers."""

from dataclasses import dataclass

import numpy as np

# Halvings of the price of a weight, enough to tell single weights apart.
_HALVINGS = 60


@dataclass(frozen=True)
class RankOptions:
    """What a layer loses and holds with each rank.

    Attributes
    ----------
    ranks : ndarray of int of shape (n_options, n_sides)
        The choices; zeros leave the layer as it is.

    lost : ndarray of shape (n_options,)
        Share of the variance of its outputs that is lost.

    n_weights : ndarray of shape (n_options,)
        Numbers that it holds.
    """

    ranks: np.ndarray
    lost: np.ndarray
    n_weights: np.ndarray

    def name(self, i):
        """Return a choice.

        Parameters
        ----------
        i : int
            Which one.

        Returns
        -------
        rank : tuple of int
            () leaves the layer as it is.
        """
        return tuple(self.ranks[i].tolist()) if self.ranks[i].any() else ()


def list_options(ranks, lost, n_weights, whole):
    """List the ranks that make a layer smaller.

    Parameters
    ----------
    ranks : ndarray of int of shape (n_ranks, n_sides)
        All ranks.

    lost : ndarray of shape (n_ranks,)
        Share of the variance of the outputs that is lost with each.

    n_weights : ndarray of int of shape (n_ranks,)
        Numbers that the factors hold.

    whole : int
        Numbers that the layer holds.

    Returns
    -------
    options : RankOptions
        The first one leaves the layer as it is.
    """
    pays = n_weights < whole
    return RankOptions(
        np.vstack([np.zeros_like(ranks[:1]), ranks[pays]]),
        np.append(0.0, lost[pays]),
        np.append(whole, n_weights[pays]),
    )


def spend_loss(options, lost):
    """Choose the ranks of all layers that leave the fewest weights for some loss.

    Parameters
    ----------
    options : list of RankOptions
        One per layer.

    lost : float
        Share of the variance of the outputs that a layer may lose in the mean.

    Returns
    -------
    ranks : list of tuple of int
        One per layer.
    """
    chosen = _spend(options, lambda found: np.mean(found[0]) <= lost, is_cheap=True)
    parts = [(part.lost, part.n_weights) for part in options]
    return _name(options, _use_rest(parts, chosen, lost * len(options)))


def spend_weights(options, n_weights):
    """Choose the ranks of all layers that lose least for some number of weights.

    Parameters
    ----------
    options : list of RankOptions
        One per layer.

    n_weights : float
        Numbers that all layers may hold together.

    Returns
    -------
    ranks : list of tuple of int
        One per layer; the smallest ones if they are still too many.
    """
    chosen = _spend(options, lambda found: sum(found[1]) <= n_weights, is_cheap=False)
    parts = [(part.n_weights, part.lost) for part in options]
    return _name(options, _use_rest(parts, chosen, n_weights))


def choose_share(options, lost):
    """Choose the smallest rank of a layer that loses at most some share.

    Parameters
    ----------
    options : RankOptions
        Of the layer.

    lost : float
        Share of the variance of the outputs that may be lost.

    Returns
    -------
    rank : tuple of int
        One of the options.
    """
    n_weights = np.where(options.lost <= lost, options.n_weights, np.inf)
    return options.name(int(np.argmin(n_weights)))


def choose_exactly(options, rank):
    """Choose one rank of a layer, if it makes the layer smaller.

    Parameters
    ----------
    options : RankOptions
        Of the layer.

    rank : sequence of int
        The rank.

    Returns
    -------
    rank : tuple of int
        The same, or () where it is no option.
    """
    return tuple(rank) if (options.ranks == rank).all(axis=1).any() else ()


def _spend(options, is_within, *, is_cheap):
    """Find the price per weight at which the choices just keep within a limit.

    Each layer takes the rank of least loss and price. The choices are within the limit
    at low prices (`is_cheap`), or at high ones.
    """
    low, high = -60.0, 10.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if is_within(_look_up(options, middle)) == is_cheap:
            low = middle
        else:
            high = middle
    return _choose(options, low if is_cheap else high)


def _use_rest(parts, chosen, limit):
    """Change the choice of one layer after the other while something is left.

    `parts` has what each option spends, and what it costs otherwise. Each time the
    change is made that lowers the cost most.
    """
    chosen = list(chosen)
    while True:
        rest = limit - sum(part[0][i] for part, i in zip(parts, chosen, strict=True))
        best = None
        for layer, (spent, cost) in enumerate(parts):
            now = chosen[layer]
            gains = np.where(spent - spent[now] <= rest, cost[now] - cost, -np.inf)
            i = int(np.argmax(gains))
            if gains[i] > 0 and (best is None or gains[i] > best[0]):
                best = gains[i], layer, i
        if best is None:
            return chosen
        chosen[best[1]] = best[2]


def _name(options, chosen):
    return [part.name(i) for part, i in zip(options, chosen, strict=True)]


def _choose(options, log_price):
    price = np.exp(log_price)
    return [int(np.argmin(part.lost + price * part.n_weights)) for part in options]


def _look_up(options, log_price):
    pairs = list(zip(options, _choose(options, log_price), strict=True))
    lost = [part.lost[i] for part, i in pairs]
    return lost, [part.n_weights[i] for part, i in pairs]
