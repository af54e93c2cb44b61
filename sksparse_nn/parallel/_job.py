"""What a worker runs on a chunk."""

from contextlib import contextmanager
from dataclasses import dataclass

from sksparse_nn._rounds import Round
from sksparse_nn.parallel._chunks import load, name_chunk
from sksparse_nn.parallel._parts import Part, read_layout


@dataclass(frozen=True)
class Job:
    """A round, as a function of a numbered chunk.

    Parameters
    ----------
    round : Round
        What is read from the samples.

    ahead : tuple of transformer, default=()
        Fitted steps that the samples go through first.
    """

    round: Round
    ahead: tuple = ()

    def __call__(self, numbered):
        number, given = numbered
        with naming(number, given):
            chunk = load(given)
            if chunk.is_empty:
                return Part()
            layouts = {read_layout(chunk.X): (number, name_chunk(number, given))}
            X = transform_by(self.ahead, chunk.X)
            total = self.round.read(X, chunk.y, chunk.sample_weight, number)
            return Part(total, layouts)


def transform_by(steps, X):
    """Transform samples by fitted steps.

    Parameters
    ----------
    steps : tuple of transformer
        In order.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    Returns
    -------
    X : {array-like, sparse matrix} of shape (n_samples, n_outputs)
        After the last step.
    """
    for step in steps:
        X = step.transform(X)
    return X


@contextmanager
def naming(number, chunk):
    """Name the chunk in errors that the body raises.

    Parameters
    ----------
    number : int
        Its place among all.

    chunk : object
        As it was given.

    Raises
    ------
    ValueError
        In place of any exception of the body but of memory.
    """
    try:
        yield
    except MemoryError:
        raise
    except Exception as error:
        raise ValueError(f"{name_chunk(number, chunk)}: {error}") from error
