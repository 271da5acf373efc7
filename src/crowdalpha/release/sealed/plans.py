"""Plans: a model as work on ciphertexts, with what it costs, before anything is computed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from crowdalpha.release.sealed.container import Container
from crowdalpha.release.sealed.errors import SealedError
from crowdalpha.release.sealed.parameters import Profile
from crowdalpha.release.sealed.ring import Ciphertext, Ring

__all__ = ["Cost", "Desk", "Model", "Operations", "Plan", "Sources", "Stage", "Task", "need_profile", "output_name"]

MEGABYTE, KILOBYTE = 1e6, 1e3


class Desk(Protocol):
    """Where a task finds what it needs and leaves what it made."""

    ring: Ring

    def take(self, name: str) -> Ciphertext:
        """Give an intermediate result, or a member of the era or moments."""
        ...

    def leave(self, name: str, value: Ciphertext) -> None:
        """Keep an intermediate result."""
        ...


class Task(Protocol):
    """A piece of work that can be done alone, skipped when it was done, and sent to another process."""

    @property
    def made(self) -> tuple[str, ...]:
        """Names of what it leaves."""
        ...

    def run(self, desk: Desk) -> None:
        """Do it."""
        ...


Stage = tuple[Task, ...]


@dataclass(frozen=True, slots=True)
class Operations:
    """How often each operation is done.

    Parameters
    ----------
    loads, scalars, products, relinearisations, rotations : int
        Ciphertexts read; ciphertexts times a plain number; times each other; products brought back to two
        polynomials; slots moved.
    """

    loads: int = 0
    scalars: int = 0
    products: int = 0
    relinearisations: int = 0
    rotations: int = 0


# Seconds of one operation in the order of `Operations`, on one core of a 2023 server; levels of CKKS averaged.
SECONDS: Mapping[str, tuple[float, float, float, float, float]] = {
    "bfv-linear-1": (0.0008, 0.00005, 0.0029, 0.0006, 0.0006),
    "bfv-trees-1": (0.002, 0.00015, 0.013, 0.004, 0.004),
    "ckks-poly-1": (0.0016, 0.0003, 0.0004, 0.0024, 0.0024),
    "ckks-train-1": (0.008, 0.002, 0.002, 0.012, 0.008),
}


@dataclass(frozen=True, slots=True)
class Cost:
    """What running a plan takes.

    Parameters
    ----------
    levels, levels_available : int
        Products that follow one another, and how many the parameter set has.
    operations : Operations
        How often each is done.
    seconds : float
        About, on one core.
    download_megabytes : float
        Of what it reads: the era, and moments where it trains.
    submission_kilobytes : float
        About, of what it sends.
    """

    levels: int
    levels_available: int
    operations: Operations
    seconds: float
    download_megabytes: float
    submission_kilobytes: float

    @classmethod
    def of(cls, operations: Operations, *, levels: int, sources: "Sources", n_outputs: int) -> "Cost":
        """Estimate from counts."""
        profile = sources.era.profile
        counts = (
            operations.loads,
            operations.scalars,
            operations.products,
            operations.relinearisations,
            operations.rotations,
        )
        seconds = sum(count * each for count, each in zip(counts, SECONDS[profile.name], strict=True))
        return cls(
            levels=levels,
            levels_available=profile.levels,
            operations=operations,
            seconds=seconds,
            download_megabytes=sum(each.path.stat().st_size for each in sources.all) / MEGABYTE,
            submission_kilobytes=n_outputs * 2 * profile.ring * (profile.primes[0] / 8 + 1) / KILOBYTE,
        )


@dataclass(frozen=True, slots=True)
class Sources:
    """What a plan reads.

    Parameters
    ----------
    era : Container
        The encrypted era that is predicted.
    moments : Container or None
        Encrypted second moments, where the model trains on them.
    """

    era: Container
    moments: Container | None = None

    @property
    def all(self) -> tuple[Container, ...]:
        """Both, as far as there are."""
        return (self.era,) if self.moments is None else (self.era, self.moments)

    def position(self, feature: str) -> int:
        """Find a feature of the era.

        Raises
        ------
        SealedError
            If the era has none of that name.
        """
        try:
            return self.era.content.features.index(feature)
        except ValueError as error:
            raise SealedError(
                f"the era has no feature '{feature}'; it has {len(self.era.content.features)}, "
                f"from '{self.era.content.features[0]}' on"
            ) from error


@dataclass(frozen=True, slots=True)
class Plan:
    """A model, lowered to work on one encrypted era.

    Parameters
    ----------
    model : str
        What kind of model it is.
    sources : Sources
        What it reads.
    stages : tuple of tuple of Task
        Stages follow one another; tasks of a stage do not need each other.
    n_outputs : int
        Ciphertexts of the submission.
    cost : Cost
        What it takes.
    scale : float
        What the model's numbers were multiplied by to become integers; 1 in CKKS.
    """

    model: str
    sources: Sources
    stages: tuple[Stage, ...] = field(repr=False)
    n_outputs: int
    cost: Cost
    scale: float = 1.0

    @property
    def n_tasks(self) -> int:
        """Tasks of all stages."""
        return sum(map(len, self.stages))


class Model(Protocol):
    """What can be lowered to a plan."""

    def plan(self, sources: Sources) -> Plan:
        """Lower the model to work on an era.

        Raises
        ------
        TooDeepError
            If the parameter set has too few levels; the message says what to change.
        """
        ...


def need_profile(profile: Profile, allowed: tuple[str, ...], what: str) -> None:
    """Refuse an era whose parameter set cannot compute a model.

    Raises
    ------
    SealedError
        If the set is not allowed; the message says which are.
    """
    if profile.name not in allowed:
        raise SealedError(
            f"{what} runs on {' or '.join(allowed)}, and this era is encrypted with {profile.name}; "
            "download the round's era of that parameter set"
        )


def output_name(block: int) -> str:
    """Name the result of a block of rows."""
    return f"out/{block}"
