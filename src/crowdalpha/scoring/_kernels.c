/* Kernels of the scorer: ranks of columns, products of ranked columns, and integer features.
 *
 * Every function works on buffers that the Python side has allocated and checked, touches no Python object
 * while it works, and lets other threads run. Results of a model never depend on which models are beside it,
 * on the number of threads or on the processor: sums run in a fixed order and nothing is contracted.
 */

#define PY_SSIZE_T_CLEAN
#define Py_LIMITED_API 0x030B0000
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* The widest instructions that the processor has are chosen when the module is loaded. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define WIDE __attribute__((target_clones("avx512f", "avx2", "default"))) static
#else
#define WIDE static
#endif

#if defined(__GNUC__)
#define PREFETCH(address) (__builtin_prefetch(address), __builtin_prefetch((address) + 8))
#else
#define PREFETCH(address) ((void)0)
#endif

enum {
    LANES = 16,             /* columns copied at a time: two cache lines of doubles */
    AHEAD = 24,             /* rows fetched ahead while copying */
    RADIX_BITS = 11,
    RADIX_SIZE = 1 << RADIX_BITS,
    RADIX_PASSES = 6,       /* of 11 bits: 66 of 64 */
    SPREAD = 3,             /* buckets per value */
    PATIENCE = 8,           /* moves per value before bucket sort gives way to radix sort */
    GRAM_ROWS = 64,
    BLOCK = 64,
    SUMS = 8,
    CHUNK = 512,            /* a multiple of SUMS */
};

/* ---- ranks ------------------------------------------------------------------------------------------------ */

typedef struct {
    Py_ssize_t n;
    double *lanes;     /* LANES columns, one after the other */
    double *key;       /* values in ascending order */
    uint32_t *at;      /* and the rows they come from */
    uint32_t *bucket;  /* bucket of each row */
    uint32_t *start;   /* first place of each bucket */
    uint32_t *doubled; /* twice the 1-based rank minus 2, in ascending order of the values */
    int tied;          /* whether any rank is shared */
    uint64_t *bits[2]; /* radix sort: keys, */
    uint32_t *rows[2]; /* rows, */
    uint32_t *count;   /* and histograms */
} Work;

static void work_free(Work *w)
{
    free(w->lanes), free(w->key), free(w->at), free(w->bucket), free(w->start), free(w->doubled);
    free(w->bits[0]), free(w->bits[1]), free(w->rows[0]), free(w->rows[1]), free(w->count);
}

static int work_alloc(Work *w, Py_ssize_t n)
{
    size_t size = n ? (size_t)n : 1;
    memset(w, 0, sizeof *w);
    w->n = n;
    w->lanes = malloc(LANES * size * sizeof(double));
    w->key = malloc(size * sizeof(double));
    w->at = malloc(size * sizeof(uint32_t));
    w->bucket = malloc(size * sizeof(uint32_t));
    w->start = malloc((SPREAD * size + 1) * sizeof(uint32_t));
    w->doubled = malloc(size * sizeof(uint32_t));
    for (int side = 0; side < 2; side++) {
        w->bits[side] = malloc(size * sizeof(uint64_t));
        w->rows[side] = malloc(size * sizeof(uint32_t));
    }
    w->count = malloc(RADIX_PASSES * RADIX_SIZE * sizeof(uint32_t));
    if (w->lanes && w->key && w->at && w->bucket && w->start && w->doubled && w->bits[0] && w->bits[1] && w->rows[0] &&
        w->rows[1] && w->count)
        return 1;
    work_free(w);
    return 0;
}

/* Stable radix sort, for values so unevenly spread that buckets do not part them. */
static void radix_order(Work *w, const double *x)
{
    Py_ssize_t n = w->n;
    int side = 0;
    memset(w->count, 0, RADIX_PASSES * RADIX_SIZE * sizeof(uint32_t));
    for (Py_ssize_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        bits ^= (bits >> 63) ? ~UINT64_C(0) : UINT64_C(1) << 63; /* unsigned order is now the order of the doubles */
        w->bits[0][i] = bits;
        w->rows[0][i] = (uint32_t)i;
        for (int pass = 0; pass < RADIX_PASSES; pass++)
            w->count[pass * RADIX_SIZE + ((bits >> (pass * RADIX_BITS)) & (RADIX_SIZE - 1))]++;
    }
    for (int pass = 0; pass < RADIX_PASSES; pass++) {
        uint32_t *count = w->count + pass * RADIX_SIZE, total = 0;
        int shift = pass * RADIX_BITS;
        if (count[(w->bits[side][0] >> shift) & (RADIX_SIZE - 1)] == (uint32_t)n)
            continue; /* all values agree in these bits */
        for (int digit = 0; digit < RADIX_SIZE; digit++) {
            uint32_t here = count[digit];
            count[digit] = total;
            total += here;
        }
        for (Py_ssize_t i = 0; i < n; i++) {
            uint64_t bits = w->bits[side][i];
            uint32_t to = count[(bits >> shift) & (RADIX_SIZE - 1)]++;
            w->bits[!side][to] = bits;
            w->rows[!side][to] = w->rows[side][i];
        }
        side = !side;
    }
    for (Py_ssize_t i = 0; i < n; i++) {
        w->at[i] = w->rows[side][i];
        w->key[i] = x[w->at[i]];
    }
}

/* Stable bucket sort; 0 if the values are too unevenly spread for it. */
static int bucket_order(Work *w, const double *x, double low, double high)
{
    Py_ssize_t n = w->n, patience = PATIENCE * n;
    double scale = (double)(SPREAD * n - 1) / (high - low);
    if (!(scale > 0) || isinf(scale))
        return 0;
    memset(w->start, 0, (size_t)(SPREAD * n + 1) * sizeof(uint32_t));
    for (Py_ssize_t i = 0; i < n; i++)
        w->bucket[i] = (uint32_t)(int32_t)((x[i] - low) * scale);
    for (Py_ssize_t i = 0; i < n; i++)
        w->start[w->bucket[i] + 1]++;
    for (Py_ssize_t b = 1; b < SPREAD * n; b++)
        w->start[b] += w->start[b - 1];
    for (Py_ssize_t i = 0; i < n; i++) {
        uint32_t to = w->start[w->bucket[i]]++;
        w->key[to] = x[i];
        w->at[to] = (uint32_t)i;
    }
    for (Py_ssize_t i = 1; i < n; i++) {
        double key = w->key[i];
        if (w->key[i - 1] <= key)
            continue;
        uint32_t row = w->at[i];
        Py_ssize_t j = i;
        for (; j > 0 && w->key[j - 1] > key; j--) {
            w->key[j] = w->key[j - 1];
            w->at[j] = w->at[j - 1];
        }
        w->key[j] = key;
        w->at[j] = row;
        patience -= i - j;
        if (patience < 0)
            return 0;
    }
    return 1;
}

/* Tell whether each value in ascending order ties with the one before it; returns whether any does. */
static int find_ties(const double *key, Py_ssize_t n, double tolerance, uint32_t *ties)
{
    uint32_t any = 0;
    ties[0] = 0;
    if (tolerance == 0) /* infinities are equal to themselves and have no difference */
        for (Py_ssize_t i = 1; i < n; i++)
            any |= ties[i] = key[i] == key[i - 1];
    else
        for (Py_ssize_t i = 1; i < n; i++)
            any |= ties[i] = key[i] - key[i - 1] <= tolerance;
    return any != 0;
}

/* Lowest and highest value; 0 if one is NaN. Several of each at a time, because one would wait for itself. */
WIDE int range_of(const double *x, Py_ssize_t n, double *low, double *high)
{
    double lows[SUMS], highs[SUMS];
    int64_t unordered[SUMS] = {0};
    for (int lane = 0; lane < SUMS; lane++)
        lows[lane] = highs[lane] = x[0];
    Py_ssize_t i = 0;
    for (; i + SUMS <= n; i += SUMS)
        for (int lane = 0; lane < SUMS; lane++) {
            double value = x[i + lane];
            lows[lane] = value < lows[lane] ? value : lows[lane];
            highs[lane] = value > highs[lane] ? value : highs[lane];
            unordered[lane] |= value != value;
        }
    for (; i < n; i++) {
        lows[0] = x[i] < lows[0] ? x[i] : lows[0];
        highs[0] = x[i] > highs[0] ? x[i] : highs[0];
        unordered[0] |= x[i] != x[i];
    }
    for (int lane = 1; lane < SUMS; lane++) {
        lows[0] = lows[lane] < lows[0] ? lows[lane] : lows[0];
        highs[0] = highs[lane] > highs[0] ? highs[lane] : highs[0];
        unordered[0] |= unordered[lane];
    }
    *low = lows[0], *high = highs[0];
    return !unordered[0];
}

/* Order one column and rank it. Neighbours no farther apart than `tolerance` tie and share their mean rank; a
 * negative tolerance breaks ties by row. Returns 0 if a value is NaN. */
static int rank_column(Work *w, const double *x, double tolerance)
{
    Py_ssize_t n = w->n;
    uint32_t *ties = w->bucket, *first = w->start; /* both are free again once the values are in order */
    double low, high;
    if (!range_of(x, n, &low, &high))
        return 0;
    if (!bucket_order(w, x, low, high))
        radix_order(w, x);
    w->tied = tolerance >= 0 && find_ties(w->key, n, tolerance, ties);
    if (!w->tied) {
        for (Py_ssize_t i = 0; i < n; i++)
            w->doubled[i] = (uint32_t)(2 * i);
        return 1;
    }
    uint32_t from = 0, to = (uint32_t)n - 1;
    for (Py_ssize_t i = 0; i < n; i++)
        first[i] = from = ties[i] ? from : (uint32_t)i;
    for (Py_ssize_t i = n - 1; i >= 0; i--) {
        w->doubled[i] = first[i] + to;
        to = ties[i] ? to : (uint32_t)(i - 1);
    }
    return 1;
}

/* Copy up to LANES columns next to each other; adding 0 turns -0 into 0, which it equals. */
static void copy_lanes(Work *w, const double *values, Py_ssize_t across, Py_ssize_t along, Py_ssize_t lanes)
{
    Py_ssize_t n = w->n;
    if (across == 1 && lanes == LANES) {
        for (Py_ssize_t i = 0; i < n; i++) {
            PREFETCH(values + (i + AHEAD) * along);
            for (int lane = 0; lane < LANES; lane++)
                w->lanes[lane * n + i] = values[i * along + lane] + 0.0;
        }
        return;
    }
    for (Py_ssize_t lane = 0; lane < lanes; lane++)
        for (Py_ssize_t i = 0; i < n; i++)
            w->lanes[lane * n + i] = values[i * along + lane * across] + 0.0;
}

/* What both rank functions take: a matrix, which of its columns, and how ties count. */
typedef struct {
    const double *values;
    Py_ssize_t n, along, across, first, last;
    double tolerance;
} Columns;

static Py_ssize_t lookup(const Columns *c, const double *table, double *out)
{
    Work w;
    Py_ssize_t bad = -1;
    if (!work_alloc(&w, c->n))
        return -2;
    for (Py_ssize_t j = c->first; j < c->last && bad < 0; j += LANES) {
        Py_ssize_t lanes = c->last - j < LANES ? c->last - j : LANES;
        copy_lanes(&w, c->values + j * c->across, c->across, c->along, lanes);
        for (Py_ssize_t lane = 0; lane < lanes && bad < 0; lane++) {
            if (!rank_column(&w, w.lanes + lane * c->n, c->tolerance))
                bad = j + lane;
            else
                for (Py_ssize_t i = 0; i < c->n; i++)
                    out[(j + lane) * c->n + w.at[i]] = table[w.doubled[i]];
        }
    }
    work_free(&w);
    return bad;
}

static double added(const double *four)
{
    return (four[0] + four[1]) + (four[2] + four[3]);
}

/* Total and squares of the entries of one table that a ranked column looks up. */
static void column_moments(const Work *w, const double *table, double *out)
{
    double total[4] = {0}, square[4] = {0};
    for (Py_ssize_t i = 0; i < w->n; i++) {
        double value = table[w->doubled[i]];
        total[i & 3] += value;
        square[i & 3] += value * value;
    }
    out[0] = added(total), out[1] = added(square);
}

/* Their products with a vector; four running sums, because one would wait for itself. */
static double column_product(const Work *w, const double *table, const double *vector)
{
    double product[4] = {0};
    for (Py_ssize_t i = 0; i < w->n; i++)
        product[i & 3] += table[w->doubled[i]] * vector[w->at[i]];
    return added(product);
}

static Py_ssize_t products(const Columns *c, Py_ssize_t n_terms, const double *tables, const double *vectors, double *out)
{
    Work w;
    Py_ssize_t bad = -1, n = c->n, entries = 2 * n - 1;
    double *untied = calloc(2 * (size_t)n_terms + 1, sizeof(double)); /* moments without ties: the same for all */
    int known = 0;
    if (!untied || !work_alloc(&w, n)) {
        free(untied);
        return -2;
    }
    for (Py_ssize_t j = c->first; j < c->last && bad < 0; j += LANES) {
        Py_ssize_t lanes = c->last - j < LANES ? c->last - j : LANES;
        copy_lanes(&w, c->values + j * c->across, c->across, c->along, lanes);
        for (Py_ssize_t lane = 0; lane < lanes && bad < 0; lane++) {
            if (!rank_column(&w, w.lanes + lane * n, c->tolerance)) {
                bad = j + lane;
                break;
            }
            for (Py_ssize_t term = 0; term < n_terms; term++) {
                double *sums = out + ((j + lane) * n_terms + term) * 3;
                const double *table = tables + term * entries;
                sums[0] = column_product(&w, table, vectors + term * n);
                if (w.tied)
                    column_moments(&w, table, sums + 1);
                else {
                    if (!known)
                        column_moments(&w, table, untied + 2 * term);
                    memcpy(sums + 1, untied + 2 * term, 2 * sizeof(double));
                }
            }
            known |= !w.tied;
        }
    }
    free(untied);
    work_free(&w);
    return bad;
}

/* ---- integer features: one feature a row, no value negative ------------------------------------------------- */

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#define TILE_TARGET __attribute__((target("avx512vnni,avx512vl,avx512bw,prefer-vector-width=512"), optimize("no-tree-slp-vectorize")))
static int has_tiles(void)
{
    return __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
}
#else
#define TILE_TARGET
static int has_tiles(void)
{
    return 0;
}
#endif

#define TILE 4
#define ROW_OF(op, x) op(x, 0) op(x, 1) op(x, 2) op(x, 3)
#define TILE_OF(op) ROW_OF(op, 0) ROW_OF(op, 1) ROW_OF(op, 2) ROW_OF(op, 3)
#define DECLARE(x, y) int32_t s##x##y = 0;
#define MULTIPLY(x, y) s##x##y += a##x[i] * b##y[i];
#define STORE(x, y) out[x * TILE + y] = s##x##y;

/* Products of four rows with four: as many sums as fit in registers. Integers, so any order gives the same. */
TILE_TARGET static void tile(const int8_t *restrict a, const int8_t *restrict b, Py_ssize_t n, int32_t *out)
{
    const uint8_t *restrict a0 = (const uint8_t *)a, *restrict a1 = a0 + n, *restrict a2 = a1 + n, *restrict a3 = a2 + n;
    const int8_t *restrict b0 = b, *restrict b1 = b0 + n, *restrict b2 = b1 + n, *restrict b3 = b2 + n;
    TILE_OF(DECLARE)
    for (Py_ssize_t i = 0; i < n; i++) {
        TILE_OF(MULTIPLY)
    }
    TILE_OF(STORE)
}

/* Rows `first` to `last` of the Gram matrix of the centred rows up to the diagonal, and their mirror. The products are
 * exact, and so is all but the division below 2^53; k is a multiple of TILE, `sums` has the sum of each row. */
static void gram(const int8_t *rows, Py_ssize_t n, Py_ssize_t k, Py_ssize_t first, Py_ssize_t last, const double *sums,
                 double *out)
{
    int32_t products[TILE * TILE];
    for (Py_ssize_t from = 0; from < last; from += GRAM_ROWS) /* so many rows stay near the processor */
        for (Py_ssize_t i = first; i < last; i += TILE)
            for (Py_ssize_t j = from; j <= i && j < from + GRAM_ROWS; j += TILE) {
                tile(rows + i * n, rows + j * n, n, products);
                for (int x = 0; x < TILE; x++)
                    for (int y = 0; y < TILE; y++)
                        out[(i + x) * k + j + y] = out[(j + y) * k + i + x] =
                            ((double)n * products[x * TILE + y] - sums[i + x] * sums[j + y]) / (double)n;
            }
}

/* Swap, in eight words of eight bytes, the blocks of `shift` bits beside the diagonal of each pair `step` apart. */
static void swap_blocks(uint64_t *words, int step, int shift, uint64_t mask)
{
    for (int i = 0; i < 8; i++)
        if (!(i & step)) {
            uint64_t moved = ((words[i] >> shift) ^ words[i + step]) & mask;
            words[i] ^= moved << shift;
            words[i + step] ^= moved;
        }
}

/* Turn features, one a column, into one a row, less `low`; eight by eight bytes at a time. */
static void transpose(const int8_t *columns, Py_ssize_t n, Py_ssize_t k, int low, int8_t *rows)
{
    const Py_ssize_t whole_n = n - n % 8, whole_k = k - k % 8;
    uint64_t words[8];
    for (Py_ssize_t i0 = 0; i0 < whole_n; i0 += BLOCK)
        for (Py_ssize_t j = 0; j < whole_k; j += 8)
            for (Py_ssize_t i = i0; i < whole_n && i < i0 + BLOCK; i += 8) {
                for (int x = 0; x < 8; x++)
                    memcpy(words + x, columns + (i + x) * k + j, 8);
                swap_blocks(words, 4, 32, UINT64_C(0x00000000FFFFFFFF));
                swap_blocks(words, 2, 16, UINT64_C(0x0000FFFF0000FFFF));
                swap_blocks(words, 1, 8, UINT64_C(0x00FF00FF00FF00FF));
                for (int x = 0; x < 8; x++)
                    memcpy(rows + (j + x) * n + i, words + x, 8);
            }
    for (Py_ssize_t j = 0; j < k; j++)
        for (Py_ssize_t i = j < whole_k ? whole_n : 0; i < n; i++)
            rows[j * n + i] = columns[i * k + j];
    if (low)
        for (Py_ssize_t at = 0; at < n * k; at++)
            rows[at] = (int8_t)(rows[at] - low);
}

/* Sum and sum of squares of each row. */
WIDE void row_moments(const int8_t *rows, Py_ssize_t n, Py_ssize_t k, double *out)
{
    for (Py_ssize_t j = 0; j < k; j++) {
        const int8_t *row = rows + j * n;
        int32_t sum = 0, square = 0;
        for (Py_ssize_t i = 0; i < n; i++) {
            sum += row[i];
            square += row[i] * row[i];
        }
        out[2 * j] = sum, out[2 * j + 1] = square;
    }
}

/* Product of each row with a vector, in eight running sums whatever the processor can do at once. */
WIDE void row_dots(const int8_t *rows, Py_ssize_t n, Py_ssize_t k, const double *vector, double *out)
{
    double part[CHUNK];
    for (Py_ssize_t j = 0; j < k; j++) {
        double sum[SUMS] = {0};
        for (Py_ssize_t from = 0; from < n; from += CHUNK) {
            const int8_t *row = rows + j * n + from;
            const double *other = vector + from;
            Py_ssize_t i = 0, size = n - from < CHUNK ? n - from : CHUNK;
            for (Py_ssize_t at = 0; at < size; at++)
                part[at] = row[at];
            for (; i + SUMS <= size; i += SUMS)
                for (int lane = 0; lane < SUMS; lane++)
                    sum[lane] += part[i + lane] * other[i + lane];
            for (; i < size; i++)
                sum[0] += part[i] * other[i];
        }
        for (int half = SUMS / 2; half; half /= 2)
            for (int lane = 0; lane < half; lane++)
                sum[lane] += sum[lane + half];
        out[j] = sum[0];
    }
}

/* Add to `out` the rows times their weights: the same order for every asset, so that equal ones stay equal. */
WIDE void row_sum(const int8_t *rows, Py_ssize_t n, Py_ssize_t k, const double *weights, double *out)
{
    for (Py_ssize_t j = 0; j < k; j++) {
        const int8_t *row = rows + j * n;
        double weight = weights[j];
        for (Py_ssize_t i = 0; i < n; i++)
            out[i] += weight * row[i];
    }
}

/* ---- what Python sees -------------------------------------------------------------------------------------- */

static int too_small(const Py_buffer *buffer, Py_ssize_t count, size_t size, const char *name)
{
    if (count >= 0 && (size_t)buffer->len >= (size_t)count * size)
        return 0;
    PyErr_Format(PyExc_ValueError, "%s is a buffer of %zd bytes and too small", name, buffer->len);
    return 1;
}

static int outside(const Columns *c)
{
    if (c->n >= 1 && c->n < INT32_MAX && 0 <= c->first && c->first <= c->last && c->along >= 0 && c->across >= 0)
        return 0;
    PyErr_SetString(PyExc_ValueError, "columns outside the matrix");
    return 1;
}

static Py_ssize_t reach(const Columns *c)
{
    return c->last ? (c->n - 1) * c->along + (c->last - 1) * c->across + 1 : 0;
}

static PyObject *answer(Py_ssize_t bad)
{
    return bad == -2 ? PyErr_NoMemory() : PyLong_FromSsize_t(bad);
}

static PyObject *py_lookup(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer values, table, out;
    Columns c;
    Py_ssize_t bad = -1;
    if (!PyArg_ParseTuple(args, "y*nnnnndy*w*", &values, &c.n, &c.along, &c.across, &c.first, &c.last, &c.tolerance,
                          &table, &out))
        return NULL;
    int wrong = outside(&c) || too_small(&values, reach(&c), sizeof(double), "values") ||
                too_small(&table, 2 * c.n - 1, sizeof(double), "table") ||
                too_small(&out, c.last * c.n, sizeof(double), "out");
    if (!wrong) {
        c.values = values.buf;
        Py_BEGIN_ALLOW_THREADS
        bad = lookup(&c, table.buf, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&values), PyBuffer_Release(&table), PyBuffer_Release(&out);
    return wrong ? NULL : answer(bad);
}

static PyObject *py_products(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer values, tables, vectors, out;
    Columns c;
    Py_ssize_t terms, bad = -1;
    if (!PyArg_ParseTuple(args, "y*nnnnndny*y*w*", &values, &c.n, &c.along, &c.across, &c.first, &c.last, &c.tolerance,
                          &terms, &tables, &vectors, &out))
        return NULL;
    int wrong = outside(&c) || too_small(&values, reach(&c), sizeof(double), "values") ||
                too_small(&tables, terms * (2 * c.n - 1), sizeof(double), "tables") ||
                too_small(&vectors, terms * c.n, sizeof(double), "vectors") ||
                too_small(&out, c.last * terms * 3, sizeof(double), "out");
    if (!wrong) {
        c.values = values.buf;
        Py_BEGIN_ALLOW_THREADS
        bad = products(&c, terms, tables.buf, vectors.buf, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&values), PyBuffer_Release(&tables), PyBuffer_Release(&vectors), PyBuffer_Release(&out);
    return wrong ? NULL : answer(bad);
}

static PyObject *py_gram(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer rows, sums, out;
    Py_ssize_t n, k, first, last;
    if (!PyArg_ParseTuple(args, "y*nnnny*w*", &rows, &n, &k, &first, &last, &sums, &out))
        return NULL;
    int wrong = too_small(&rows, n * k, 1, "rows") || too_small(&sums, k, sizeof(double), "sums") ||
                too_small(&out, k * k, sizeof(double), "out");
    if (!wrong && (!has_tiles() || k % TILE || first % TILE || last % TILE || first < 0 || last > k)) {
        PyErr_SetString(PyExc_ValueError, "the Gram matrix is made in tiles, on processors that have them");
        wrong = 1;
    }
    if (!wrong) {
        Py_BEGIN_ALLOW_THREADS
        gram(rows.buf, n, k, first, last, sums.buf, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows), PyBuffer_Release(&sums), PyBuffer_Release(&out);
    return wrong ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_transpose(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer columns, rows;
    Py_ssize_t n, k;
    int low;
    if (!PyArg_ParseTuple(args, "y*nniw*", &columns, &n, &k, &low, &rows))
        return NULL;
    int wrong = too_small(&columns, n * k, 1, "columns") || too_small(&rows, n * k, 1, "rows");
    if (!wrong) {
        Py_BEGIN_ALLOW_THREADS
        transpose(columns.buf, n, k, low, rows.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&columns), PyBuffer_Release(&rows);
    return wrong ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_row_moments(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer rows, out;
    Py_ssize_t n, k;
    if (!PyArg_ParseTuple(args, "y*nnw*", &rows, &n, &k, &out))
        return NULL;
    int wrong = too_small(&rows, n * k, 1, "rows") || too_small(&out, 2 * k, sizeof(double), "out");
    if (!wrong) {
        Py_BEGIN_ALLOW_THREADS
        row_moments(rows.buf, n, k, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows), PyBuffer_Release(&out);
    return wrong ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_row_dots(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer rows, vector, out;
    Py_ssize_t n, k;
    if (!PyArg_ParseTuple(args, "y*nny*w*", &rows, &n, &k, &vector, &out))
        return NULL;
    int wrong = too_small(&rows, n * k, 1, "rows") || too_small(&vector, n, sizeof(double), "vector") ||
                too_small(&out, k, sizeof(double), "out");
    if (!wrong) {
        Py_BEGIN_ALLOW_THREADS
        row_dots(rows.buf, n, k, vector.buf, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows), PyBuffer_Release(&vector), PyBuffer_Release(&out);
    return wrong ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_row_sum(PyObject *Py_UNUSED(self), PyObject *args)
{
    Py_buffer rows, weights, out;
    Py_ssize_t n, k;
    if (!PyArg_ParseTuple(args, "y*nny*w*", &rows, &n, &k, &weights, &out))
        return NULL;
    int wrong = too_small(&rows, n * k, 1, "rows") || too_small(&weights, k, sizeof(double), "weights") ||
                too_small(&out, n, sizeof(double), "out");
    if (!wrong) {
        Py_BEGIN_ALLOW_THREADS
        row_sum(rows.buf, n, k, weights.buf, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&rows), PyBuffer_Release(&weights), PyBuffer_Release(&out);
    return wrong ? NULL : Py_NewRef(Py_None);
}

static PyObject *py_has_tiles(PyObject *Py_UNUSED(self), PyObject *Py_UNUSED(none))
{
    return PyBool_FromLong(has_tiles());
}

static PyMethodDef methods[] = {
    {"gram", py_gram, METH_VARARGS, "gram(rows, n, k, first, last, sums, out)"},
    {"has_tiles", py_has_tiles, METH_NOARGS, "Tell whether this processor can do `gram`."},
    {"lookup", py_lookup, METH_VARARGS, "lookup(values, n, along, across, first, last, tolerance, table, out) -> bad column"},
    {"products", py_products, METH_VARARGS,
     "products(values, n, along, across, first, last, tolerance, terms, tables, vectors, out) -> bad column"},
    {"row_dots", py_row_dots, METH_VARARGS, "row_dots(rows, n, k, vector, out)"},
    {"row_moments", py_row_moments, METH_VARARGS, "row_moments(rows, n, k, out)"},
    {"row_sum", py_row_sum, METH_VARARGS, "row_sum(rows, n, k, weights, out)"},
    {"transpose", py_transpose, METH_VARARGS, "transpose(columns, n, k, low, rows)"},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef module = {
    PyModuleDef_HEAD_INIT, "_kernels", "Kernels of the scorer.", 0, methods, NULL, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&module);
}
