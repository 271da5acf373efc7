import pytest

from crowdalpha.errors import InputError
from crowdalpha.rules.merkle import inclusion_proof, merkle_root, verify_inclusion

# Inputs and roots of the reference implementation's Merkle tree tests (Certificate Transparency).
LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


@pytest.mark.parametrize("size", range(1, 9))
def test_roots_are_those_of_the_reference_implementation(size: int) -> None:
    assert merkle_root(LEAVES[:size]) == ROOTS[size - 1]


def test_the_root_of_nothing_is_the_hash_of_nothing() -> None:
    assert merkle_root([]) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


@pytest.mark.parametrize("size", range(1, 33))
def test_every_leaf_of_every_small_tree_is_proved(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    root = merkle_root(leaves)
    proofs = [inclusion_proof(leaves, index) for index in range(size)]

    assert all(
        verify_inclusion(leaf, index=index, size=size, proof=proof, root=root)
        for index, (leaf, proof) in enumerate(zip(leaves, proofs, strict=True))
    )


@pytest.mark.parametrize("size", range(1, 17))
def test_no_leaf_is_proved_in_another_place(size: int) -> None:
    leaves = [bytes([number]) for number in range(size)]
    root = merkle_root(leaves)

    assert not any(
        verify_inclusion(leaves[index], index=other, size=size, proof=inclusion_proof(leaves, index), root=root)
        for index in range(size)
        for other in range(-1, size + 1)
        if other != index
    )


def test_a_proof_that_was_touched_is_refused() -> None:
    proof, root = inclusion_proof(LEAVES, 5), ROOTS[7]
    place = {"index": 5, "size": 8}

    assert verify_inclusion(LEAVES[5], proof=proof, root=root, **place)
    assert not verify_inclusion(LEAVES[4], proof=proof, root=root, **place)
    assert not verify_inclusion(LEAVES[5], proof=proof[:-1], root=root, **place)
    assert not verify_inclusion(LEAVES[5], proof=[*proof, proof[0]], root=root, **place)
    assert not verify_inclusion(LEAVES[5], proof=[*proof[:-1], "zz" * 32], root=root, **place)
    assert not verify_inclusion(LEAVES[5], proof=[*proof[:-1], "00"], root=root, **place)
    assert not verify_inclusion(LEAVES[5], proof=proof, root=ROOTS[6], **place)


@pytest.mark.parametrize("index", [-1, 8])
def test_a_leaf_that_is_not_there_has_no_proof(index: int) -> None:
    with pytest.raises(InputError, match="not among 8"):
        inclusion_proof(LEAVES, index)
