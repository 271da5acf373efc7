import itertools

import pytest

from crowdalpha.scoring.arrays import BLOCK_VALUES, model_blocks


@pytest.mark.parametrize("n_assets", [1, 5_000, BLOCK_VALUES, 2 * BLOCK_VALUES])
def test_blocks_cover_every_model_once_in_order(n_assets: int) -> None:
    blocks = list(model_blocks(n_assets, 250))

    assert blocks[0].start == 0
    assert blocks[-1].stop == 250
    assert all(before.stop == after.start for before, after in itertools.pairwise(blocks))


def test_a_block_is_bounded_but_holds_one_model_at_least() -> None:
    assert all((block.stop - block.start) * 5_000 <= BLOCK_VALUES for block in model_blocks(5_000, 1_000))
    assert len(list(model_blocks(2 * BLOCK_VALUES, 3))) == 3


def test_no_models_make_no_blocks() -> None:
    assert list(model_blocks(5_000, 0)) == []
