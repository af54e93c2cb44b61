"""Epochs that invoke the callbacks of scikit-learn 1.9 or later.

With earlier versions, estimators have no `set_callbacks` and run without them.
"""

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:
        """Replace the mixin of later versions."""

        def _init_callback_context(self, **options):
            return _NoContext()

    def with_callbacks(method):
        """Return the method unchanged.

        Parameters
        ----------
        method : callable
            A method that fits.

        Returns
        -------
        method : callable
            The method.
        """
        return method


class _NoContext:
    def subcontext(self, **options):
        return self

    def call_on_fit_task_begin(self, **options):
        return self

    def call_on_fit_task_end(self, **options):
        return False


class Epochs:
    """The epochs of a fit, each of which invokes the callbacks of the estimator.

    Parameters
    ----------
    estimator : estimator instance
        With :class:`CallbackSupportMixin`; its fit is decorated `with_callbacks`.

    n_epochs : int
        Maximum number of epochs.
    """

    def __init__(self, estimator, n_epochs):
        self._estimator = estimator
        self._n_epochs = n_epochs
        self._context = estimator._init_callback_context(max_subtasks=n_epochs)

    def run(self, epoch, X, fitted):
        """Run epochs until the maximum, or until the epoch or a callback stops.

        Parameters
        ----------
        epoch : callable
            Runs one epoch; returns true if it was the last.

        X : ndarray or CSR matrix of shape (n_samples, n_features)
            Training data, for callbacks that request it.

        fitted : callable
            Returns the attributes, by name, of an estimator that stops here.
        """
        options = {"estimator": self._estimator, "X": X}
        self._context.call_on_fit_task_begin(**options)
        for _ in range(self._n_epochs):
            task = self._context.subcontext(task_name="epoch")
            task.call_on_fit_task_begin(**options)
            last = epoch()
            stop = task.call_on_fit_task_end(
                reconstruction_attributes=fitted, **options
            )
            if last or stop:
                break
        self._context.call_on_fit_task_end(reconstruction_attributes=fitted, **options)
