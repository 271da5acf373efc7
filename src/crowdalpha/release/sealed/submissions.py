"""Sealed submissions: what a participant sends, and what anyone can check of it without a secret."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from crowdalpha.release.sealed.container import Container, Description, Kind, read_container
from crowdalpha.release.sealed.eras import column_member
from crowdalpha.release.sealed.errors import SealedError, SealedFileError
from crowdalpha.release.sealed.library import library_version
from crowdalpha.release.sealed.parameters import Layout, Profile
from crowdalpha.release.sealed.plans import Plan
from crowdalpha.release.sealed.ring import Ciphertext, Ring

__all__ = ["Expected", "check_submission", "load_results", "n_results", "write_submission"]

POLYNOMIALS = 2
LARGEST_SCALE = 2.0**60


@dataclass(frozen=True, slots=True)
class Expected:
    """What a submission has to belong to; all of it is public.

    Parameters
    ----------
    profile : Profile
        Parameter set of the round's era.
    key_id : str
        Name of the keys.
    round_number, era : int, str
        The round and its era.
    n_rows : int
        Rows of the era.
    row_order : str
        As the era's manifest has it.
    """

    profile: Profile
    key_id: str
    round_number: int
    era: str
    n_rows: int
    row_order: str

    @classmethod
    def of(cls, era: Container) -> "Expected":
        """Take it from an encrypted era."""
        content = era.content
        return cls(era.profile, content.key_id, content.round, content.era, content.n_rows, content.row_order)


def n_results(profile: Profile, n_rows: int) -> int:
    """Count the ciphertexts of a submission: results fill all slots."""
    return -(-n_rows // profile.slots)


def write_submission(plan: Plan, results: Sequence[bytes], path: Path) -> Container:
    """Write what `run_plan` computed.

    Parameters
    ----------
    plan : Plan
        What was run.
    results : sequence of bytes
        Its ciphertexts.
    path : Path
        Where to.

    Returns
    -------
    Container
        The submission.

    Raises
    ------
    SealedFileError
        If it cannot be written.
    """
    expected = Expected.of(plan.sources.era)
    content = Description(
        kind=Kind.SUBMISSION,
        profile=expected.profile.name,
        library=library_version(),
        key_id=expected.key_id,
        round=expected.round_number,
        era=expected.era,
        n_rows=expected.n_rows,
        row_order=expected.row_order,
    )
    return Container.write(path, content, {column_member(0, at): raw for at, raw in enumerate(results)})


def check_submission(path: Path, expected: Expected) -> Container:
    """Check all of a submission that needs no library and no secret.

    Parameters
    ----------
    path : Path
        The file.
    expected : Expected
        Of the round.

    Returns
    -------
    Container
        Whose ciphertexts were not looked at yet.

    Raises
    ------
    SealedFileError
        If it is not a whole submission of that round and key; the message tells what anyone can see.
    """
    submission = read_container(path, Kind.SUBMISSION)
    content = submission.content
    if content.key_id != expected.key_id or submission.profile is not expected.profile:
        raise SealedFileError(path.name, "was computed with other keys than this round's; run the model on its era")
    if (content.round, content.era) != (expected.round_number, expected.era):
        raise SealedFileError(
            path.name, f"is for round {content.round}, and this is round {expected.round_number}; run the model again"
        )
    if (content.n_rows, content.row_order) != (expected.n_rows, expected.row_order):
        raise SealedFileError(path.name, "is for other rows than the round's era; run the model again")
    names = tuple(column_member(0, at) for at in range(n_results(expected.profile, expected.n_rows)))
    if submission.names != names or content.features or content.target or content.bound:
        raise SealedFileError(path.name, f"must hold {len(names)} ciphertexts and nothing else")
    return submission


def load_results(submission: Container, ring: Ring) -> list[Ciphertext]:
    """Load the ciphertexts of a checked submission.

    Parameters
    ----------
    submission : Container
        Of `check_submission`.
    ring : Ring
        Of its parameter set; no secret is needed.

    Returns
    -------
    list of Ciphertext
        At the smallest modulus, two polynomials each.

    Raises
    ------
    SealedError
        If one is anything else.

    Notes
    -----
    Parses what strangers sent: a server does this in a process of its own, see `open_submission`.
    """
    loaded = [ring.load(submission.bytes_of(name)) for name in submission.names]
    for result in loaded:
        if result.size() != POLYNOMIALS or ring.level(result) != 0:
            raise SealedError("a result has to be relinearised and at the smallest modulus")
        if ring.profile.layout is Layout.TILES and not 1.0 < result.scale < LARGEST_SCALE:
            raise SealedError("a result has a scale that no model makes")
    return loaded
