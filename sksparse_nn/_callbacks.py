"""Tasks of a fit, on which the callbacks of scikit-learn 1.9 or later are invoked.

With earlier versions, estimators have no `set_callbacks` and run without them. What
skorch calls callbacks are others: see `sksparse_nn.neural._callbacks`.
"""

from contextlib import contextmanager, nullcontext

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
    """A context without callbacks."""

    def subcontext(self, **options):
        return self

    def call_on_fit_task_begin(self, **options):
        return self

    def call_on_fit_task_end(self, **options):
        return False

    def propagate_callback_context(self, sub_estimator):
        return nullcontext()


class Task:
    """A task of a fit, with subtasks; each begins and ends with calls of callbacks.

    Parameters
    ----------
    context : sklearn.callback.CallbackContext
        The context of the task.

    **data : dict
        The estimator, and the data of its fit.

    Attributes
    ----------
    is_stopped : bool
        Whether a callback has asked to stop at the end of the task.
    """

    def __init__(self, context, **data):
        self._context = context
        self._data = data
        self.is_stopped = False

    def start(self, name, n_subtasks=0):
        """Begin a subtask.

        Parameters
        ----------
        name : str
            Name of the subtask.

        n_subtasks : int or None, default=0
            Number of its own subtasks at most; None if it is not known.

        Returns
        -------
        task : Task
            The subtask, which the caller ends.
        """
        task = self._make_subtask(name, n_subtasks)
        task.begin()
        return task

    def _make_subtask(self, name, n_subtasks=0):
        context = self._context.subcontext(task_name=name, max_subtasks=n_subtasks)
        return Task(context, **self._data)

    @contextmanager
    def subtask(self, name, n_subtasks=0, fitted=None):
        """Do the body as a subtask.

        Parameters
        ----------
        name, n_subtasks : str, int or None
            As in `start`.

        fitted : callable or None, default=None
            Returns the attributes, by name, of an estimator whose fit stops at the end.

        Yields
        ------
        task : Task
            The subtask.
        """
        task = self.start(name, n_subtasks)
        try:
            yield task
        except KeyboardInterrupt:
            task.end()  # what is not finished is no estimator
            raise
        task.end(fitted)

    def run(self, step, n_steps, fitted=None, *, name="epoch"):
        """Run steps as subtasks until one is the last or a callback stops.

        Parameters
        ----------
        step : callable
            Returns true if it was the last step.

        n_steps : int
            Number of steps at most.

        fitted : callable or None, default=None
            Returns the attributes, by name, of an estimator that stops behind a step.

        name : str, default="epoch"
            Name of the subtasks.
        """
        for _ in range(n_steps):
            with self.subtask(name, fitted=fitted) as task:
                is_last = step()
            if is_last or task.is_stopped:
                break

    @contextmanager
    def lend(self, name, sub_estimator):
        """Do the body, the fit of another estimator, as a subtask.

        Parameters
        ----------
        name : str
            Name of the subtask.

        sub_estimator : estimator
            Has those callbacks that are propagated while the body runs.
        """
        task = self._make_subtask(name)
        with task._context.propagate_callback_context(sub_estimator):
            task.begin()
            yield
        task.end()

    def begin(self):
        """Invoke the callbacks on the beginning."""
        self._context.call_on_fit_task_begin(**self._data)

    def end(self, fitted=None):
        """Invoke the callbacks on the end.

        Parameters
        ----------
        fitted : callable or None, default=None
            Returns the attributes, by name, of an estimator that stops here.
        """
        self.is_stopped = self._context.call_on_fit_task_end(
            reconstruction_attributes=fitted, **self._data
        )


no_task = Task(_NoContext())


@contextmanager
def fit_task(estimator, n_subtasks, X, y=None, sample_weight=None):
    """Do the body as the task of a whole fit.

    Parameters
    ----------
    estimator : estimator
        With :class:`CallbackSupportMixin`; its method is decorated `with_callbacks`.

    n_subtasks : int or None
        Number of subtasks at most; None if it is not known.

    X, y, sample_weight : array-like or None
        What the method was given.

    Yields
    ------
    task : Task
        The task. At its end the estimator is fitted.
    """
    context = estimator._init_callback_context(max_subtasks=n_subtasks)
    weights = None if sample_weight is None else {"sample_weight": sample_weight}
    task = Task(context, estimator=estimator, X=X, y=y, metadata=weights)
    task.begin()
    yield task
    task.end(dict)
