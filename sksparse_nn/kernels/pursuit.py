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

from sksparse_nn.kernels._jit import kernel

CHUNK = 64


@kernel
def largest(scores, bits):
    """Find the largest of some floats that are not negative.

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
    n = bits.size
    top = bits[0]
    start = 0
    whole = n - n % CHUNK
    for chunk in range(0, whole, CHUNK):
        part = bits[chunk : chunk + CHUNK]
        here = part[0]
        for j in range(np.uint64(CHUNK)):  # a known length: no scalar remainder
            here = max(here, part[j])
        if here > top:
            top = here
            start = chunk
    for j in range(whole, n):
        if bits[j] > top:
            top = bits[j]
            start = j
    for j in range(start, n):
        if bits[j] == top:
            return j
    return start


@kernel
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


@kernel
def sweep(
    gram_row, r, V, count, inverse, b, a, free, dependent, by_error, scores
):  # fmt: skip
    """Make row `count` of V, update the correlations with it and rate the atoms.

    Parameters
    ----------
    gram_row : array of shape (n_atoms,)
        Products of the new atom with every atom.

    r : array of shape (n_basis,)
        Products of the new atom with the basis.

    V : array of shape (n_basis, n_atoms)
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
    n = np.uint64(a.size)
    none, least = a.dtype.type(0), a.dtype.type(dependent)
    new = V[count]
    subtract_rows(gram_row, r, V, count, new)
    for j in range(n):
        v = new[j] * inverse
        new[j] = v
        a[j] -= b * v
    if by_error:
        for j in range(n):
            outside = free[j] - new[j] * new[j]
            free[j] = outside
            drop = a[j] * a[j] / outside
            scores[j] = drop if outside > least else none
    else:
        for j in range(n):
            scores[j] = abs(a[j])


@kernel
def subtract_rows(start, r, V, count, out):
    """Subtract a sum of the first rows of V, four at a time to save memory traffic.

    Parameters
    ----------
    start : array of shape (n_atoms,)
        Subtracted from.

    r : array of shape (n_basis + 3,)
        Factors of the rows.

    V : array of shape (n_basis + 3, n_atoms)
        The rows; up to three behind the last one are looked up, not used.

    count : int
        How many of them.

    out : array of shape (n_atoms,)
        Overwritten.
    """
    n = np.uint64(out.size)
    if count == 0:
        for j in range(n):  # a slice assignment is many times slower
            out[j] = start[j]
    rest = start
    for low in range(0, count, 4):
        r0, r1, r2, r3 = r[low], r[low + 1], r[low + 2], r[low + 3]
        v0, v1, v2, v3 = V[low], V[low + 1], V[low + 2], V[low + 3]
        if low + 4 <= count:
            for j in range(n):
                out[j] = rest[j] - (r0 * v0[j] + r1 * v1[j] + (r2 * v2[j] + r3 * v3[j]))
        elif low + 3 == count:
            for j in range(n):
                out[j] = rest[j] - (r0 * v0[j] + r1 * v1[j] + r2 * v2[j])
        elif low + 2 == count:
            for j in range(n):
                out[j] = rest[j] - (r0 * v0[j] + r1 * v1[j])
        else:
            for j in range(n):
                out[j] = rest[j] - r0 * v0[j]
        rest = out


@kernel
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


@kernel
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


@kernel
def choose_atoms(
    a, gram, limit, by_error, floor, dependent, V, R, r, b, free, scores, bits, barred,
    chosen,
):  # fmt: skip
    """Choose the atoms of one unit row.

    Parameters
    ----------
    a : array of shape (n_atoms,)
        Correlations of the row with the atoms; overwritten.

    gram : array of shape (n_atoms, n_atoms)
        Products of the atoms, which are of unit norm or zero.

    limit : float
        Stop when the squared residual is no larger.

    by_error : bool
        Whether to choose the atom that lowers the error most instead of the one that
        correlates best with the residual.

    floor : float
        Correlations no larger are rounding errors.

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
    """
    residual = 1.0
    count = 0
    n_barred = 0
    if by_error:
        for j in range(free.size):
            free[j] = gram[j, j]
    score(a, free, dependent, by_error, scores)
    while count < chosen.size and n_barred < a.size and residual > limit:
        p = largest(scores, bits)
        if abs(a[p]) <= floor:
            break
        outside = float(gram[p, p])
        for s in range(count):
            r[s] = V[s, p]
            outside -= float(r[s]) * float(r[s])
        barred[n_barred] = p
        n_barred += 1
        if outside > dependent:
            norm = np.sqrt(outside)
            for s in range(count):
                R[s, count] = r[s]
            R[count, count] = norm
            b[count] = a[p] / norm
            residual -= b[count] * b[count]
            chosen[count] = p
            if count + 1 < chosen.size:
                kind = a.dtype.type
                sweep(
                    gram[p], r, V, count, kind(1 / norm), kind(b[count]),
                    a, free, dependent, by_error, scores,
                )  # fmt: skip
            count += 1
        for t in range(n_barred):
            a[barred[t]] = 0
            scores[barred[t]] = 0
    return count


@kernel
def write_code(chosen, R, b, count, norm, indices, code):
    """Solve for the coefficients of the first chosen atoms and sort them by index.

    Parameters
    ----------
    chosen, R, b
        From `choose_atoms`.

    count : int
        How many of the atoms.

    norm : float
        Multiplies the code.

    indices, code : arrays of shape (n_basis,)
        The first `count` entries are overwritten.
    """
    solve_triangular(R, b, count, code)
    for s in range(count):
        indices[s] = chosen[s]
        code[s] *= norm
    sort_by_index(indices, code, count)


@kernel
def pursue(
    correlations, gram, norms, limits, by_error, floor, dependent, scores, bits,
    counts, indices, codes,
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
        What the rows were divided by; a row of norm zero gets an empty code.

    limits : float64 array of shape (n_rows,)
        Squared residual of the unit row at which to stop.

    by_error, floor, dependent, scores, bits
        As in `choose_atoms`.

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
    barred = np.zeros(n_atoms, np.int32)
    chosen = np.zeros(n_basis, np.int32)
    for i in range(n_rows):
        count = 0
        if norms[i] > 0:
            count = choose_atoms(
                correlations[i], gram, limits[i], by_error, floor, dependent,
                V, R, r, b, free, scores, bits, barred, chosen,
            )  # fmt: skip
        for t in range(n_sizes):
            counts[t, i] = min(counts[t, i], count)
            write_code(chosen, R, b, counts[t, i], norms[i], indices[t, i], codes[t, i])
