"""Run the attacks on a release and put their results together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from time import perf_counter

import numpy as np

from crowdalpha.release.audit.attacks import ATTACKS, Attack
from crowdalpha.release.audit.data import IntArray, PublicData, Published, Truth
from crowdalpha.release.audit.errors import AttackNotPossibleError
from crowdalpha.release.audit.leaks import with_accepted
from crowdalpha.release.audit.report import AuditReport
from crowdalpha.release.audit.results import AttackResult

__all__ = ["Subject", "audit"]

MAX_ASSETS = 1500
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is audited: its name, its policy, results that rows cannot give, such as that of the files, and which files.

    `manifest` is the SHA-256 of the manifest of the files that the rows were read from; None where they are arrays.
    """

    release: str = "unnamed"
    policy: str = "plain"
    measured: tuple[AttackResult, ...] = ()
    manifest: str | None = None


def audit(
    published: Published,
    public: PublicData | None,
    truth: Truth,
    *,
    rng: np.random.Generator,
    subject: Subject | None = None,
    attacks: Sequence[Attack] = ATTACKS,
    progress: Progress | None = None,
) -> AuditReport:
    """Attack a release.

    Parameters
    ----------
    published : Published
        The release.
    public : PublicData or None
        What an outsider computes from public prices; without it the attacks that need it are skipped.
    truth : Truth
        What the operator knows.
    rng : numpy.random.Generator
        All chance of all attacks.
    subject : Subject, default=None
        Name, policy and results that are measured elsewhere.
    attacks : sequence of Attack, default=ATTACKS
        Which attacks.
    progress : callable of (str, float), default=None
        Told the title of each attack and the share done before it.

    Returns
    -------
    AuditReport
        Results in the order of `attacks`, then those of the subject.

    Notes
    -----
    Of more than 1,500 assets a random 1,500 are attacked, with all their rows, but for plain leaks. That favours the
    attacker a little, because there are fewer to confuse. NaN policy: omit, as each attack says. Cost: some seconds for
    500 assets, 300 eras and 60 features.
    """
    subject = subject or Subject()
    sample = _sampled(published, truth, rng)
    results, skipped = [], {}
    for number, (attack, stream) in enumerate(zip(attacks, rng.spawn(len(attacks)), strict=True)):
        if progress is not None:
            progress(attack.title, number / len(attacks))
        start = perf_counter()
        release, known = (published, truth) if attack.whole else sample
        try:
            result = attack.run(release, public, known, stream)
        except AttackNotPossibleError as reason:
            skipped[attack.name] = str(reason)
        else:
            counted = with_accepted(result, subject.policy)
            results.append(replace(counted, seconds=perf_counter() - start))
    if progress is not None:
        progress("done", 1.0)
    return AuditReport(
        release=subject.release,
        policy=subject.policy,
        n_eras=len(published.eras),
        n_rows=sum(len(ids) for ids in published.ids),
        n_features=published.n_features,
        n_signals=0 if public is None else len(public.names),
        results=(*results, *subject.measured),
        skipped=skipped,
        manifest=subject.manifest,
    )


def _sampled(published: Published, truth: Truth, rng: np.random.Generator) -> tuple[Published, Truth]:
    every = np.unique(np.concatenate(truth.assets))
    if len(every) <= MAX_ASSETS:
        return published, truth
    kept = rng.choice(every, size=MAX_ASSETS, replace=False)
    rows: list[IntArray] = [np.flatnonzero(np.isin(assets, kept)).astype(np.int64) for assets in truth.assets]
    release = Published(
        eras=published.eras,
        features=tuple(values[at] for values, at in zip(published.features, rows, strict=True)),
        targets=tuple(values[at] for values, at in zip(published.targets, rows, strict=True)),
        ids=tuple(tuple(ids[at] for at in chosen) for ids, chosen in zip(published.ids, rows, strict=True)),
        target_names=published.target_names,
        target_sets=tuple(
            values[at] for values, at in zip(published.target_sets, rows, strict=bool(published.target_sets))
        ),
    )
    known = tuple(assets[at] for assets, at in zip(truth.assets, rows, strict=True))
    return release, replace(truth, assets=known)
