"""Loss of a trained network on samples."""

from skorch import NeuralNet

from sksparse_nn.neural._batches import BatchIterator


def mean_loss(network, X, y):
    """Return the mean training loss of a network, without penalties.

    Parameters
    ----------
    network : SparseNetClassifier, SparseNetRegressor or skorch.NeuralNet
        Fitted. It does not change.

    X : ndarray or CSR matrix of shape (n_samples, n_features)
        Samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    Returns
    -------
    loss : float
        The mean over the samples. The criterion of a skorch net must be a mean over the
        batch, as by default.
    """
    if isinstance(network, NeuralNet):
        net = network
        batches = net.get_iterator(net.get_dataset(X, y), training=False)
    else:
        net = network.net_
        batches = BatchIterator(loss_samples(network, X, y, None), net.batch_size)
    total = n_rows = 0
    for batch in batches:
        total += len(batch[1]) * net.validation_step(batch)["loss"].item()
        n_rows += len(batch[1])
    return total / n_rows


def loss_samples(estimator, X, y, sample_weight):
    """Return samples in the form that the loss of an estimator takes.

    Parameters
    ----------
    estimator : SparseNetClassifier or SparseNetRegressor
        Fitted. It does not change.

    X : {array-like, sparse matrix} of shape (n_samples, n_features)
        Samples.

    y : array-like of shape (n_samples,) or (n_samples, n_outputs)
        Their targets.

    sample_weight : array-like of shape (n_samples,) or None
        Their weights.

    Returns
    -------
    samples : TrainingSamples
        With the weights of the classes, as in training.
    """
    samples = estimator._read(X, y, sample_weight, reset=False, learn=False)
    samples = estimator._encode(samples)
    return estimator._weight_samples(samples, estimator._seen, estimator.net_)
