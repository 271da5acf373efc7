import pytest

from crowdalpha.errors import CrowdalphaError
from crowdalpha.server.errors import BlobDamaged, BlobNotFound, DatabaseUnavailable, ServerError


@pytest.mark.parametrize("error", [BlobNotFound("ab"), BlobDamaged("ab"), DatabaseUnavailable("down")])
def test_every_error_is_of_the_one_tree_and_has_its_own_code(error: ServerError) -> None:
    assert isinstance(error, CrowdalphaError)
    assert error.code not in {CrowdalphaError.code, ServerError.code}
