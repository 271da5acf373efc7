import pytest

from crowdalpha.release.words import FIRST_WORDS, SECOND_WORDS, THIRD_WORDS

LISTS = [FIRST_WORDS, SECOND_WORDS, THIRD_WORDS]


@pytest.mark.parametrize("words", LISTS)
def test_each_list_has_at_least_sixty_different_plain_words(words: tuple[str, ...]) -> None:
    assert len(set(words)) == len(words) >= 60
    assert all(word.isascii() and word.isalpha() and word.islower() for word in words)
