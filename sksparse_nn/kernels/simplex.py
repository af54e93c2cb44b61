"""Codes on the simplex: nonnegative, with sum one.

A level turns scores into a code: the excess of each score over the level is kept, as is
with sparsemax, squared with entmax. The level makes the sum one. Scores are not sorted:
entries that cannot be above the level are dropped at once, and others after each
estimate of it, so that the last estimate is exact.

Mapped kernels write the nonzeros of row i to the front of row i of `indices` and
`codes` and their number to `counts`.

References
----------
A. F. T. Martins, R. F. Astudillo (2016), From softmax to sparsemax. ICML.

B. Peters, V. Niculae, A. F. T. Martins (2019), Sparse sequence-to-sequence models. ACL.

C. Michelot (1986), A finite algorithm for finding the projection of a point onto the
canonical simplex of R^n. Journal of Optimization Theory and Applications 50.
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel


@kernel
def subtract_largest(scores):
    """Subtract the largest of some scores from all.

    Parameters
    ----------
    scores : float64 array of shape (n,)
        Overwritten; the largest becomes zero.
    """
    largest = scores[0]
    for score in scores:
        largest = max(largest, score)
    for j in range(scores.size):
        scores[j] -= largest


@kernel
def sparsemax_level(scores, kept):
    """Return the level above which scores add up to one.

    Parameters
    ----------
    scores : float64 array of shape (n,)
        The largest is zero, so that the level is at least -1.

    kept : float64 array of shape (n,)
        Overwritten.

    Returns
    -------
    level : float
        Less than zero.
    """
    n_kept, total = 0, 0.0
    for score in scores:
        if score > -1.0:
            kept[n_kept] = score
            n_kept += 1
            total += score
    n_before = 0
    while n_kept != n_before:
        # Dropping scores can only raise the level.
        level = (total - 1.0) / n_kept
        n_before, n_kept, total = n_kept, 0, 0.0
        for j in range(n_before):
            if kept[j] > level:
                kept[n_kept] = kept[j]
                n_kept += 1
                total += kept[j]
    return level


@kernel
def entmax15_level(scores, kept):
    """Return the level above which the squares of half the scores add up to one.

    The sum of squares is convex and falls with the level, so that steps of Newton's
    method from below stay below. What they pass is left out, and once the root for what
    remains is below all of it, that root is the level.

    Parameters
    ----------
    scores : float64 array of shape (n,)
        The largest is zero, so that the level is at least -1.

    kept : float64 array of shape (n,)
        Overwritten.

    Returns
    -------
    level : float
        Of half the scores; less than zero.
    """
    n_kept = scores.size
    for j in range(n_kept):
        kept[j] = scores[j] / 2
    level, raised = -1.0, -1.0
    while True:
        n_kept, mean, lowest = _keep_above(kept[:n_kept], raised)
        spread = 0.0
        for j in range(n_kept):
            spread += (kept[j] - mean) ** 2
        if spread <= 1.0:
            exact = mean - np.sqrt((1.0 - spread) / n_kept)
            if exact < lowest:
                return exact
        level, height = raised, mean - raised
        squares = spread + n_kept * height * height
        raised = level + (squares - 1.0) / (2 * n_kept * height)
        if not raised > level:
            return level


@kernel
def _keep_above(kept, level):
    """Move entries above a level to the front; return their count, mean and minimum."""
    n_kept, total, lowest = 0, 0.0, 0.0
    for j in range(kept.size):
        if kept[j] > level:
            kept[n_kept] = kept[j]
            n_kept += 1
            total += kept[n_kept - 1]
            lowest = min(lowest, kept[n_kept - 1])
    return n_kept, total / n_kept, lowest


@kernel
def rate(products, norm, offsets, sharpness, scores):
    """Score the keys for a row, the largest score being zero.

    Parameters
    ----------
    products : array of shape (n_keys,)
        Of the unit row and the keys.

    norm : float
        Norm of the row.

    offsets : float64 array of shape (n_keys,)
        Subtracted.

    sharpness : float
        Multiplies what is below the largest.

    scores : float64 array of shape (n_keys,)
        Overwritten.
    """
    for j in range(scores.size):
        scores[j] = products[j] * norm - offsets[j]
    subtract_largest(scores)
    for j in range(scores.size):
        scores[j] *= sharpness


@kernel
def sparsemax(products, norms, offsets, sharpness, counts, indices, codes):
    """Project the scores of each row onto the simplex.

    Parameters
    ----------
    products : array of shape (n_rows, n_keys)
        Of unit rows and keys.

    norms : float64 array of shape (n_rows,)
        Norms of the rows.

    offsets, sharpness
        As in `rate`.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_keys)
        Overwritten.
    """
    scores, kept = np.empty(offsets.size), np.empty(offsets.size)
    for i in range(norms.size):
        rate(products[i], norms[i], offsets, sharpness, scores)
        level = sparsemax_level(scores, kept)
        count = 0
        for j in range(scores.size):
            if scores[j] > level:
                indices[i, count] = j
                codes[i, count] = scores[j] - level
                count += codes[i, count] > 0  # it may vanish in float32
        counts[i] = count


@kernel
def entmax15(products, norms, offsets, sharpness, counts, indices, codes):
    """Map the scores of each row by entmax with exponent 1.5.

    Parameters
    ----------
    products, norms, offsets, sharpness
        As in `sparsemax`.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_keys)
        Overwritten.
    """
    scores, kept = np.empty(offsets.size), np.empty(offsets.size)
    for i in range(norms.size):
        rate(products[i], norms[i], offsets, sharpness, scores)
        level = entmax15_level(scores, kept)
        count = 0
        for j in range(scores.size):
            if scores[j] / 2 > level:
                indices[i, count] = j
                codes[i, count] = (scores[j] / 2 - level) ** 2
                count += codes[i, count] > 0
        counts[i] = count


@kernel
def nearest(products, norms, offsets, counts, indices, codes):
    """Give each row to the key of the largest score, the first of equal ones.

    Parameters
    ----------
    products, norms, offsets
        As in `sparsemax`.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, 1)
        Overwritten.
    """
    for i in range(norms.size):
        first, largest = 0, products[i, 0] * norms[i] - offsets[0]
        for j in range(1, offsets.size):
            score = products[i, j] * norms[i] - offsets[j]
            if score > largest:
                first, largest = j, score
        counts[i] = 1
        indices[i, 0] = first
        codes[i, 0] = 1


@kernel
def converge(
    products,
    norms,
    shifts,
    gram,
    curvature,
    max_iter,
    tol,
    counts,
    indices,
    codes,
    gaps,
):
    """Improve codes until their mixtures of the keys are nearest to the rows.

    Parameters
    ----------
    products, norms
        As in `sparsemax`.

    shifts : float64 array of shape (n_keys,)
        Subtracted from the products of rows and keys.

    gram : float64 array of shape (n_keys, n_keys)
        Products of the keys.

    curvature : float
        At least the largest eigenvalue of `gram`, and positive.

    max_iter : int
        Maximum number of steps per row.

    tol : float
        Relative duality gap at which a row is done.

    counts, indices, codes : arrays of shape (n_rows,) and twice (n_rows, n_keys)
        Codes to start from; overwritten.

    gaps : float64 array of shape (n_rows,)
        Overwritten with the relative duality gaps.
    """
    n_keys = shifts.size
    pull = np.empty(n_keys)
    work = np.empty((6, n_keys))
    code = work[0]
    largest = 0.0
    for j in range(n_keys):
        largest = max(largest, gram[j, j])
    for i in range(norms.size):
        unit = largest
        code[:] = 0.0
        for j in range(n_keys):
            pull[j] = products[i, j] * norms[i] - shifts[j]
            unit = max(unit, abs(pull[j]))
        for s in range(counts[i]):
            code[indices[i, s]] = codes[i, s]
        gaps[i] = _converge_row(pull, gram, curvature, max_iter, tol * unit, work)
        gaps[i] = gaps[i] / unit if unit > 0 else 0.0
        counts[i] = _compress(code, indices[i], codes[i])


@kernel
def _converge_row(pull, gram, curvature, max_iter, bound, work):
    """Take accelerated projected gradient steps; return the duality gap.

    The objective is half the squared distance of the mixture from the row, its gradient
    `slope` minus `pull`. Momentum is dropped if it opposes the gradient.

    References
    ----------
    A. Beck, M. Teboulle (2009), A fast iterative shrinkage-thresholding algorithm for
    linear inverse problems. SIAM Journal on Imaging Sciences 2.

    B. O'Donoghue, E. Candes (2015), Adaptive restart for accelerated gradient schemes.
    Foundations of Computational Mathematics 15.
    """
    code, before, slope, slope_before, trial, kept = work
    mix_keys(gram, code, slope)
    before[:] = code
    slope_before[:] = slope
    age = 1.0
    for _ in range(max_iter):
        if _gap(code, slope, pull) <= bound:
            break
        older = (1 + np.sqrt(1 + 4 * age * age)) / 2
        inertia = (age - 1) / older
        for j in range(code.size):
            point = code[j] + inertia * (code[j] - before[j])
            gradient = slope[j] + inertia * (slope[j] - slope_before[j]) - pull[j]
            trial[j] = point - gradient / curvature
        subtract_largest(trial)
        level = sparsemax_level(trial, kept)
        against = 0.0
        for j in range(code.size):
            point = code[j] + inertia * (code[j] - before[j])
            new = max(trial[j] - level, 0.0)
            against += (point - new) * (new - code[j])
            before[j] = code[j]
            code[j] = new
        age = 1.0 if against > 0 else older
        slope_before[:] = slope
        mix_keys(gram, code, slope)
    return _gap(code, slope, pull)


@kernel
def mix_keys(gram, code, slope):
    """Multiply a code and a Gram matrix."""
    slope[:] = 0.0
    for j in range(code.size):
        if code[j] != 0:
            for k in range(code.size):
                slope[k] += code[j] * gram[j, k]


@kernel
def _gap(code, slope, pull):
    """Return the first-order improvement of the best corner over the code."""
    lowest = slope[0] - pull[0]
    mean = 0.0
    for j in range(code.size):
        gradient = slope[j] - pull[j]
        lowest = min(lowest, gradient)
        mean += code[j] * gradient
    return max(mean - lowest, 0.0)


@kernel
def _compress(code, indices, codes):
    """Write the nonzeros of a code to the front of a row; return their number."""
    count = 0
    for j in range(code.size):
        if code[j] > 0:
            indices[count] = j
            codes[count] = code[j]
            count += codes[count] > 0
    return count
