"""Merkle trees as in RFC 6962: one root for many leaves, and a short proof that a leaf is under a root.

Leaves and inner nodes are hashed with different prefixes, so that no inner node passes for a leaf. A leaf's
place counts: the same leaves in another order have another root.

References
----------
.. [1] B. Laurie, A. Langley, E. Kasper, "Certificate Transparency", RFC 6962, section 2.1.
"""

import hashlib
from collections.abc import Sequence

from crowdalpha.errors import InputError

__all__ = ["inclusion_proof", "merkle_root", "verify_inclusion"]

_LEAF = b"\x00"
_NODE = b"\x01"
_HEX_DIGITS = 64


def merkle_root(leaves: Sequence[bytes]) -> str:
    """Compute the root of a list of leaves, in hexadecimal; the root of none is the hash of nothing.

    Notes
    -----
    Cost: O(n) hashes.
    """
    if not leaves:
        return hashlib.sha256(b"").hexdigest()
    level = [_hash_leaf(leaf) for leaf in leaves]
    while len(level) > 1:
        level = _level_above(level)
    return level[0].hex()


def inclusion_proof(leaves: Sequence[bytes], index: int) -> tuple[str, ...]:
    """List the sibling hashes from a leaf up to the root, in hexadecimal.

    Notes
    -----
    Cost: O(n) hashes; the proof has at most ceil(log2(n)) of them.
    """
    if not 0 <= index < len(leaves):
        raise InputError(f"leaf {index} is not among {len(leaves)}; count from 0")
    level = [_hash_leaf(leaf) for leaf in leaves]
    proof: list[str] = []
    while len(level) > 1:
        sibling = index ^ 1
        if sibling < len(level):
            proof.append(level[sibling].hex())
        level = _level_above(level)
        index //= 2
    return tuple(proof)


def verify_inclusion(leaf: bytes, *, index: int, size: int, proof: Sequence[str], root: str) -> bool:
    """Check that `leaf` is number `index` of the `size` leaves under `root`.

    Anything that does not fit is False: proofs come from strangers.
    """
    if not 0 <= index < size:
        return False
    siblings = list(reversed(proof))
    node, last = _hash_leaf(leaf), size - 1
    while last > 0:
        if index % 2 == 1 or index < last:
            sibling = _read_hash(siblings.pop()) if siblings else None
            if sibling is None:
                return False
            node = _hash_node(sibling, node) if index % 2 == 1 else _hash_node(node, sibling)
        index, last = index // 2, last // 2
    return not siblings and node.hex() == root


def _level_above(level: list[bytes]) -> list[bytes]:
    # An odd last node moves up as it is; pairing from the left gives the tree that the RFC splits from the top.
    above = [_hash_node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
    return above if len(level) % 2 == 0 else [*above, level[-1]]


def _hash_leaf(leaf: bytes) -> bytes:
    return hashlib.sha256(_LEAF + leaf).digest()


def _hash_node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(_NODE + left + right).digest()


def _read_hash(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text) if len(text) == _HEX_DIGITS else None
    except ValueError:
        return None
