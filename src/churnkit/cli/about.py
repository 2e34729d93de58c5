"""The model behind an answer, as a JSON head describes it: which it is, and what to know before believing it."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from churnkit.terms import Term

if TYPE_CHECKING:
    from churnkit.predict.model import ChurnModel

_GUARDS = (
    Term("no_signal", "text", "The history tells customers no better apart than the base rate.", nullable=True),
    Term("short_history", "text", "Too little to learn from, or to check on.", nullable=True),
    Term("season_never_seen", "text", "The horizon covers months that the training has not seen.", nullable=True),
    Term("drift", "text", "The customers are not like those of the training, and what moved.", nullable=True),
    Term("at_bound", "text", "Fits that the orders do not pin down.", nullable=True),
    Term("stale", "text", "Trained more than a horizon before the cutoff.", nullable=True),
    Term("sees_the_future", "text", "Trained on orders after the cutoff.", nullable=True),
)
GUARDS = Term(
    "guards", "object", "What to know before believing it: each guard with its sentence, or null.", of=_GUARDS
)

MODEL = Term(
    "model",
    "object",
    "Which model scored, and what to know before believing it.",
    of=(
        Term("kind", "text", "blend, buy-till-you-die, base-rate; labelled or labelled-base-rate."),
        Term("file", "text", "The file it came from; null where it was trained on the way.", nullable=True),
        Term("cutoff", "date", "The first day that its training did not see.", nullable=True),
        GUARDS,
        Term("check", "object", "Its honest check; null where there was none.", nullable=True),
    ),
)


def about_model(model: "ChurnModel", file: str | None, guards: Mapping[str, str | None]) -> dict[str, object]:
    """The model of a JSON head, with what to know before believing it."""
    check = model.figures or None
    return {"kind": model.kind, "file": file, "cutoff": model.cutoff, "guards": guards, "check": check}
