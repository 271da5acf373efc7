"""The words that hidden feature names are made of, and those that no page may use of a release.

The names are neutral on purpose: none of them hints at a market, a direction or a quality. Three lists of 64 give
262,144 names.
"""

import re

__all__ = ["FIRST_WORDS", "SECOND_WORDS", "THIRD_WORDS", "forbidden_claims"]

_FORBIDDEN = re.compile(
    r"\b(anonym\w*|de-?identif\w*|encrypt\w*|differential(ly)? priva\w*|irreversib\w*|k-anonym\w*"
    r"|(can ?not|can't|impossible to) (be )?(decod|revers|identif|re-identif)\w*"
    r"|dates? (is|are) hidden|hidden dates?)\b",
    re.IGNORECASE,
)


def forbidden_claims(text: str) -> list[str]:
    """Find what may not be said of an obfuscated release: nothing shown about it says so much.

    Parameters
    ----------
    text : str
        A page, a manifest, a report.

    Returns
    -------
    list of str
        The words found, in order; empty for a page that may be published.

    Notes
    -----
    NaN policy: not applicable. A page on the sealed track is another matter. Cost: one pass.

    Examples
    --------
    >>> forbidden_claims("The data is fully anonymised and cannot be decoded.")
    ['anonymised', 'cannot be decoded']
    """
    return [match.group(0) for match in _FORBIDDEN.finditer(text)]


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


FIRST_WORDS = _words(
    """
    amber ashen autumn azure bamboo beige birchen bluish brass brick bronze cedar chalky cherry clay cobalt
    copper coral cotton cream crimson dusky ebony emerald evening fern frosty ginger granite green hazel indigo
    ivory jade lilac linen maple marble mauve misty morning mossy navy ochre olive opal orange paper
    pearl pewter pine plum quartz russet rusty sable saffron sandy scarlet sepia silken teal umber woolen
    """
)

SECOND_WORDS = _words(
    """
    anchor apron arch attic awning balcony barn basin basket beacon bell bench blanket bobbin bridge broom
    bucket button cabin candle canoe carpet cellar chair chimney clock compass corridor cradle curtain desk doorway
    drawer easel fence ferry flagon fountain garden gate goblet hammock harbour helmet hinge kettle ladder lantern
    lighthouse mirror oven paddle pantry pillow quilt saddle satchel spoon stairway teapot thimble trellis wagon window
    """
)

THIRD_WORDS = _words(
    """
    alder badger beaver beetle brook canyon cicada clover cove crane cricket cypress delta dolphin dune egret
    elm falcon finch fjord forest gecko geyser glacier grove heron ibex island juniper kestrel lagoon larch
    lark lemur lichen lotus lynx magpie marsh meadow moth newt oriole osprey otter pebble plover prairie
    puffin raven reef ridge robin sparrow spruce squirrel stork swallow thistle tundra valley walnut willow wren
    """
)
