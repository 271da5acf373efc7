"""The report of an audit: figures, what they mean in words, what to change, and a form that is stored and compared."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

from crowdalpha.release.audit.leaks import FIXES
from crowdalpha.release.audit.results import AttackResult
from crowdalpha.release.errors import ReleaseError

__all__ = ["REPORT_FORMAT", "AuditReport"]

REPORT_FORMAT = 2
DIGITS = 6
MANY, SOME = 0.5, 0.1
TIMES_CHANCE = 3
SHORTEST_REASON = 20
UNKNOWN = "How far attacks that are not in this report get is not known."
PHRASES = {
    "link_1": "rows are linked to the same asset in the next era",
    "link_13": "rows are linked to the same asset 13 eras later",
    "track_public": "assets are followed through the eras by somebody who knows ten eras and public prices",
    "track_features": "assets are followed through the eras by somebody who knows ten eras and nothing else",
    "calendar": "windows of eras are put on the calendar",
    "tickers": "rows of a single era are named by somebody who knows ten eras and public prices",
    "path_linked": "assets are named by their targets where rows are linked already",
    "path_own": "assets are named by their targets without any inside knowledge",
    "target_sets": "rows of a single era are named by all their targets, without any inside knowledge",
    "names": "features that public prices give are recognised",
}
ADVICE = {
    "link_1": "to link fewer rows, publish means of groups of assets (microaggregation); coarser bins do not help",
    "track_public": "against insiders, publish means of groups of three assets or use the sealed track",
    "calendar": "assume that dates are known; only noise that ruins the features hides them",
    "tickers": "leave out what public prices give, or residualise it on public signals",
    "path_linked": "draw targets at random with a known rate (randomised response) and publish fewer eras an asset",
    "path_own": "draw targets at random with a known rate, or link fewer rows",
    "target_sets": "publish only the target that pays: the others of a row tell what it leaves open",
    "names": "rotate features within groups before binning",
}


@dataclass(frozen=True, slots=True)
class AuditReport:
    """What the attacks of one audit achieved.

    Parameters
    ----------
    release : str
        Which release: the version, or what the caller calls it.
    policy : str
        Name of its policy.
    n_eras, n_rows, n_features, n_signals : int
        Size of what was attacked, and number of public signals that the attacker had.
    results : tuple of AttackResult
        In the order of the attacks.
    skipped : mapping of str to str
        Attacks that could not be tried, and why.
    override : str, default=None
        Why the release is published although the gate refuses it.
    manifest : str, default=None
        SHA-256 of the manifest of the files that were attacked; None where arrays were, which are no release.
    """

    release: str
    policy: str
    n_eras: int
    n_rows: int
    n_features: int
    n_signals: int
    results: tuple[AttackResult, ...]
    skipped: Mapping[str, str]
    override: str | None = None
    manifest: str | None = None

    def find(self, attack: str) -> AttackResult | None:
        """Give the result of an attack; None if it was not tried."""
        return next((result for result in self.results if result.attack == attack), None)

    def with_override(self, reason: str) -> Self:
        """Keep the reason why the release is published although the gate refuses it.

        Raises
        ------
        ReleaseError
            If the reason has fewer than 20 characters.
        """
        if len(reason.strip()) < SHORTEST_REASON:
            raise ReleaseError(
                f"an override needs a reason of at least {SHORTEST_REASON} characters; write who may see it"
            )
        return replace(self, override=reason.strip())

    def to_bytes(self) -> bytes:
        """Give the canonical JSON: sorted keys, six digits, no times, so that the same attacks give the same bytes."""
        content = {
            "advice": self.advice(),
            "features": self.n_features,
            "eras": self.n_eras,
            "format": REPORT_FORMAT,
            "manifest": self.manifest,
            "override": self.override,
            "policy": self.policy,
            "public_signals": self.n_signals,
            "release": self.release,
            "results": {result.attack: _fields(result) for result in self.results},
            "rows": self.n_rows,
            "skipped": dict(self.skipped),
            "verdict": self.verdict(),
        }
        return json.dumps(content, sort_keys=True, indent=2, allow_nan=False, ensure_ascii=False).encode() + b"\n"

    def verdict(self) -> list[str]:
        """Say in sentences what the figures mean; the first one sums up."""
        found = [result for result in self.results if _works(result)]
        sentences = [_summary(found)]
        for result in self.results:
            if result.attack in PHRASES:
                sentences.append(
                    f"{result.success:.0%} of {PHRASES[result.attack]} (blind guesses: {result.chance:.1%}).".replace(
                        "of rows are", "of the rows are"
                    )
                )
            sentences += [f"{words[:1].upper()}{words[1:]}." for words in _texts(result, "words")]
        return [*sentences, *(f"{name} was not tried: {why}." for name, why in self.skipped.items()), UNKNOWN]

    def advice(self) -> list[str]:
        """Say what to change against the attacks that work; empty if none does."""
        changes = [ADVICE[result.attack] for result in self.results if _works(result) and result.attack in ADVICE]
        changes += [FIXES[code] for result in self.results for code in _texts(result, "leaks")]
        return list(dict.fromkeys(changes))


def _summary(found: Sequence[AttackResult]) -> str:
    names = {result.attack for result in found}
    if names & {"static", "files"}:
        return "This release has plain leaks, which need no skill; it must not be published as it is."
    strongest = max((result.success for result in found if result.attack in {"track_public", "tickers"}), default=0.0)
    if strongest >= MANY:
        return "This release hides little from an informed attacker: he knows which asset most rows are."
    if strongest >= SOME or names & {"path_linked", "path_own", "target_sets"}:
        return "An informed attacker names a part of the rows of this release."
    if found:
        return "No attack tried here names many rows; some of the structure shows."
    return "No attack tried here did clearly better than chance."


def _works(result: AttackResult) -> bool:
    return result.success > max(SOME, TIMES_CHANCE * result.chance)


def _texts(result: AttackResult, key: str) -> list[str]:
    value = result.detail.get(key, [])
    return [] if isinstance(value, int | float | str) else list(value)


def _fields(result: AttackResult) -> dict[str, object]:
    figures = ("success", "success_at_10", "chance", "expected_rank", "bits", "ci_low", "ci_high")
    detail = {key: round(value, DIGITS) if isinstance(value, float) else value for key, value in result.detail.items()}
    return {name: round(float(getattr(result, name)), DIGITS) for name in figures} | {"detail": detail}
