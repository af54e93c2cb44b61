"""Greedy pursuit by orthogonalised correlations.

With a Gram matrix G of unit atoms and the correlations a = D x of a unit row, the
atoms chosen so far span a space with an orthonormal basis q_1, q_2, ...; row l of V
holds the products of q_l with every atom. One sweep over the atoms then makes the next
row of V and brings the correlations with the residual up to date; no residual is ever
formed.

References
----------
R. Rubinstein, M. Zibulevsky, M. Elad (2008), Efficient implementation of the K-SVD
algorithm using batch orthogonal matching pursuit. Technion CS-2008-08.

L. Rebollo-Neira, D. Lowe (2002), Optimized orthogonal matching pursuit approach. IEEE
Signal Processing Letters 9(4).
"""

import numpy as np

from sksparse_nn.kernels._jit import kernel, step

CHUNK = 64
# Maximum factor of the rounding of atoms relative to that of a row.
LARGEST_SIZE = 2.0


@step
def largest(scores, bits):
    """Find the largest of nonnegative floats.

    Their bits, read as integers, are in the same order, and a maximum of integers
    compiles to vector instructions where one of floats does not.

    Parameters
    ----------
    scores : array of shape (n,)
        None below zero.

    bits : integer array of shape (n,)
        The same memory.

    Returns
    -------
    index : int
        Of the first of the largest.
    """
    n = np.uint64(bits.size)
    size = min(n, np.uint64(CHUNK))  # a constant would be unrolled, not vectorised
    top = bits[0]
    chunk = start = np.uint64(0)
    while chunk + size <= n:
        here = bits[chunk]
        for j in range(chunk, chunk + size):
            here = max(here, bits[j])
        if here > top:
            top = here
            start = chunk
        chunk += size
    for j in range(chunk, n):
        if bits[j] > top:
            top = bits[j]
            start = j
    while bits[start] != top:
        start += np.uint64(1)
    return start


@step
def score(a, free, dependent, by_error, scores):
    """Rate the atoms: by correlation, or by how much each would lower the error.

    Parameters
    ----------
    a : array of shape (n_atoms,)
        Correlations with the residual.

    free : array of shape (n_atoms,)
        Squared norm of each atom's part outside the span of the chosen ones.

    dependent : float
        Atoms with no more than this outside the span score zero.

    by_error : bool
        Whether to rate by the drop of the error.

    scores : array of shape (n_atoms,)
        Overwritten, none negative.
    """
    if by_error:
        # Constants of the arrays' type: a wider one would widen the whole loop.
        none, least = a.dtype.type(0), a.dtype.type(dependent)
        for j in range(a.size):
            drop = a[j] * a[j] / free[j]
            scores[j] = drop if free[j] > least else none
    else:
        for j in range(a.size):
            scores[j] = abs(a[j])


@step
def sweep(
    gram, p, r, V, count, inverse, b, a, free, dependent, by_error, scores
):  # fmt: skip
    """Make row `count` of V, update the correlations with it and rate the atoms.

    Parameters
    ----------
    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    p : int
        The new atom.

    r : array of shape (n_basis + 3,)
        Products of the new atom with the basis.

    V : array of shape (n_basis + 3, n_atoms)
        Row `count` is overwritten.

    count : int
        Number of atoms chosen so far.

    inverse : float
        One over the norm of the new atom's part outside the span.

    b : float
        Product of the residual and the new basis vector.

    a, free : array of shape (n_atoms,)
        Updated; `free` only where atoms are rated by the error.

    dependent, by_error, scores
        As in `score`.
    """
    # A loop over more arrays than these is not vectorised: too many might overlap.
    n, new = np.uint64(a.size), np.uint64(count)
    none, least = a.dtype.type(0), a.dtype.type(dependent)
    subtract_rows(gram, np.uint64(p), r, V, count, scores)
    for j in range(n):
        v = scores[j] * inverse
        V[new, j] = v
        a[j] -= b * v
    if by_error:
        for j in range(n):
            outside = free[j] - V[new, j] * V[new, j]
            free[j] = outside
            drop = a[j] * a[j] / outside
            scores[j] = drop if outside > least else none
    else:
        for j in range(n):
            scores[j] = abs(a[j])


@step
def subtract_rows(gram, p, r, V, count, out):
    """Subtract a combination of the first rows of V from a row of the Gram matrix.

    Rows are named by two indices and not taken out: each view of an array counts as a
    reference to it, and threads that share the array wait for each other to count.

    Parameters
    ----------
    gram, p, V, count
        As in `sweep`; up to three rows of V behind the first ones are looked up.

    r : array of shape (n_basis + 3,)
        Factors of the rows; zero behind the first ones.

    out : array of shape (n_atoms,)
        Overwritten.
    """
    n = np.uint64(out.size)
    if count == 0:
        for j in range(n):  # a slice assignment is many times slower
            out[j] = gram[p, j]
    for low in range(0, count, 4):  # four at a time to save memory traffic
        k0, k1 = np.uint64(low), np.uint64(low + 1)
        k2, k3 = np.uint64(low + 2), np.uint64(low + 3)
        r0, r1, r2, r3 = r[k0], r[k1], r[k2], r[k3]
        if low == 0:
            for j in range(n):
                out[j] = gram[p, j] - (
                    r0 * V[k0, j] + r1 * V[k1, j] + (r2 * V[k2, j] + r3 * V[k3, j])
                )
        else:
            for j in range(n):
                out[j] -= (
                    r0 * V[k0, j] + r1 * V[k1, j] + (r2 * V[k2, j] + r3 * V[k3, j])
                )


@step
def column_of(V, p, count, r):
    """Collect the products of an atom with the basis.

    Parameters
    ----------
    V : array of shape (n_basis + 3, n_atoms)
        Products of the basis with every atom.

    p : int
        The atom.

    count : int
        Size of the basis.

    r : array of shape (n_basis + 3,)
        Overwritten; zero behind the first `count` entries.

    Returns
    -------
    inside : float
        Squared norm of the atom's part in the span.
    """
    inside = 0.0
    for s in range(count):
        r[s] = V[s, p]
        inside += float(r[s]) * float(r[s])
    for s in range(count, count + 3):
        r[s] = 0
    return inside


@step
def solve_triangular(R, b, count, code):
    """Turn coefficients in the basis into coefficients of the chosen atoms.

    Parameters
    ----------
    R : float64 array of shape (n_basis, n_basis)
        Column s holds the products of chosen atom s with the basis; upper triangular.

    b : float64 array of shape (n_basis,)
        Products of the row with the basis.

    count : int
        Number of atoms chosen.

    code : array of shape (n_basis,)
        The first `count` entries are overwritten.
    """
    for s in range(count - 1, -1, -1):
        value = b[s]
        for t in range(s + 1, count):
            value -= R[s, t] * code[t]
        code[s] = value / R[s, s]


@step
def sort_by_index(indices, values, count):
    """Sort the first entries of a sparse row by index, in place.

    Parameters
    ----------
    indices, values : array of shape (n,)
        The first `count` entries are overwritten.

    count : int
        Number of entries in use.
    """
    for s in range(1, count):
        index, value = indices[s], values[s]
        t = s - 1
        while t >= 0 and indices[t] > index:
            indices[t + 1], values[t + 1] = indices[t], values[t]
            t -= 1
        indices[t + 1], values[t + 1] = index, value


@step
def choose_atoms(
    a, gram, squares, limit, rounding, by_error, floor, dependent, V, R, r, b, free,
    scores, bits, barred, chosen,
):  # fmt: skip
    """Choose the atoms of one unit row.

    Parameters
    ----------
    a : array of shape (n_atoms,)
        Correlations of the row with the atoms; overwritten.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms, which are of unit norm or zero.

    squares : array of shape (n_atoms,)
        The diagonal of `gram`.

    limit : float
        Stop when the squared residual is no larger. With zero, only correlations
        count, as the residual is a difference of numbers near one.

    rounding : float
        Squared rounding of the row and of the atoms, where a residual ends too.

    by_error : bool
        Whether to choose the atom that lowers the error most instead of the one that
        correlates best with the residual.

    floor : float
        Correlations no larger are rounding errors; errors grow with the coefficients.

    dependent : float
        Atoms with no more of their squared norm outside the span are skipped.

    V, r, free, scores, bits, barred : arrays
        Scratch: shapes (n_basis + 3, n_atoms), (n_basis + 3,) and (n_atoms,) four
        times; `bits` is the memory of `scores` read as integers.

    R, b : float64 arrays of shape (n_basis, n_basis) and (n_basis,)
        Overwritten with the triangular system whose solution is the code.

    chosen : array of shape (n_basis,)
        Overwritten with the atoms in the order of their choice.

    Returns
    -------
    count : int
        Number of atoms chosen, at most n_basis.

    least : float
        Least squared norm that an atom in question had outside the span of those chosen
        before it: the smaller, the more digits are lost.
    """
    residual, least, size = 1.0, 1.0, 1.0
    count = n_barred = np.int64(0)
    if by_error:
        for j in range(free.size):
            free[j] = squares[j]
    score(a, free, dependent, by_error, scores)
    while count < chosen.size and n_barred < a.size:
        p = largest(scores, bits)
        enough = max(limit, rounding * min(size, LARGEST_SIZE) ** 2)
        if abs(a[p]) <= floor * size or (enough > 0 and residual <= enough):
            break
        outside = float(gram[p, p]) - column_of(V, p, count, r)
        barred[n_barred] = p
        n_barred += 1
        least = min(least, outside)
        if outside > dependent:
            norm = np.sqrt(outside)
            for s in range(count):
                R[s, count] = r[s]
            R[count, count] = norm
            b[count] = a[p] / norm
            residual -= b[count] * b[count]
            size += abs(b[count]) / norm
            chosen[count] = p
            if count + 1 < chosen.size:
                kind = a.dtype.type
                sweep(
                    gram, p, r, V, count, kind(1 / norm), kind(b[count]),
                    a, free, dependent, by_error, scores,
                )  # fmt: skip
            count += 1
        for t in range(n_barred):
            a[barred[t]] = 0
            scores[barred[t]] = 0
    return count, least


@step
def write_code(chosen, R, b, count, floor, norm, indices, code):
    """Solve for the coefficients of the first chosen atoms and sort them by index.

    The coefficient of an atom that others have made redundant is rounding.

    Parameters
    ----------
    chosen, R, b
        From `choose_atoms`.

    count : int
        How many of the atoms.

    floor : float
        Share of the sum of all coefficients up to which one is left out.

    norm : float
        Multiplies the code.

    indices, code : arrays of shape (n_basis,)
        The first entries are overwritten.

    Returns
    -------
    n_kept : int
        Number of entries.
    """
    solve_triangular(R, b, count, code)
    size = 1.0
    for s in range(count):
        size += abs(code[s])
    n_kept = np.int64(0)
    for s in range(count):
        if abs(code[s]) > floor * size:
            indices[n_kept] = chosen[s]
            code[n_kept] = code[s] * norm
            n_kept += 1
    sort_by_index(indices, code, n_kept)
    return n_kept


@kernel
def pursue(
    correlations, gram, norms, limits, rounding, by_error, floor, dependent, scores,
    bits, pivots, counts, indices, codes,
):  # fmt: skip
    """Code unit rows, one after another, and scale the codes by the rows' norms.

    As the atoms of a smaller code are the first ones of a larger code, all sizes come
    from one run.

    Parameters
    ----------
    correlations : array of shape (n_rows, n_atoms)
        Products of rows and atoms; overwritten.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms.

    norms : float64 array of shape (n_rows,)
        Norms that divided the rows; a row of norm zero gets an empty code.

    limits : float64 array of shape (n_rows,)
        Squared residual of the unit row at which to stop.

    rounding, by_error, floor, dependent, scores, bits
        As in `choose_atoms`.

    pivots : float64 array of shape (n_rows,)
        Overwritten with the `least` of `choose_atoms`.

    counts : int32 array of shape (n_sizes, n_rows)
        For each size the most atoms a row may have; overwritten with the number it has.

    indices : int32 array of shape (n_sizes, n_rows, n_basis)
        Overwritten, each row's atoms in ascending order.

    codes : array of shape (n_sizes, n_rows, n_basis)
        Overwritten.
    """
    n_atoms = gram.shape[0]
    n_sizes, n_rows, n_basis = codes.shape
    V = np.zeros((n_basis + 3, n_atoms), codes.dtype)
    R = np.zeros((n_basis, n_basis))
    r = np.zeros(n_basis + 3, codes.dtype)
    b = np.zeros(n_basis)
    free = np.zeros(n_atoms, codes.dtype)
    squares = np.zeros(n_atoms, codes.dtype)
    for j in range(n_atoms):
        squares[j] = gram[j, j]
    barred = np.zeros(n_atoms, np.int32)
    chosen = np.zeros(n_basis, np.int32)
    needless = max(floor, np.sqrt(rounding) / 4)
    for i in range(n_rows):
        count, pivots[i] = np.int64(0), 1
        if norms[i] > 0:
            count, pivots[i] = choose_atoms(
                correlations[i], gram, squares, limits[i], rounding, by_error, floor,
                dependent, V, R, r, b, free, scores, bits, barred, chosen,
            )  # fmt: skip
        for t in range(n_sizes):
            counts[t, i] = write_code(
                chosen, R, b, min(counts[t, i], count), needless, norms[i],
                indices[t, i], codes[t, i],
            )  # fmt: skip
