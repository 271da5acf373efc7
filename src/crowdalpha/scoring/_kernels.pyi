# What each kernel does is said in `_kernels.c`; how it is called, in `_ranked` and `_features`.
from crowdalpha.scoring.arrays import FloatArray, IntegerArray

def gram(rows: IntegerArray, n: int, k: int, first: int, last: int, sums: FloatArray, out: FloatArray, /) -> None: ...
def has_tiles() -> bool: ...
def lookup(
    values: FloatArray,
    n: int,
    along: int,
    across: int,
    first: int,
    last: int,
    tolerance: float,
    table: FloatArray,
    out: FloatArray,
    /,
) -> int: ...
def products(
    values: FloatArray,
    n: int,
    along: int,
    across: int,
    first: int,
    last: int,
    tolerance: float,
    terms: int,
    tables: FloatArray,
    vectors: FloatArray,
    out: FloatArray,
    /,
) -> int: ...
def row_dots(rows: IntegerArray, n: int, k: int, vector: FloatArray, out: FloatArray, /) -> None: ...
def row_moments(rows: IntegerArray, n: int, k: int, out: FloatArray, /) -> None: ...
def row_sum(rows: IntegerArray, n: int, k: int, weights: FloatArray, out: FloatArray, /) -> None: ...
def transpose(columns: IntegerArray, n: int, k: int, low: int, rows: IntegerArray, /) -> None: ...
