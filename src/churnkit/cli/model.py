"""`churnkit model`."""

from typing import Annotated

import typer

from churnkit.cli.about import GUARDS
from churnkit.cli.options import Showing
from churnkit.cli.session import Session
from churnkit.output.document import Fact, Shape, View
from churnkit.terms import WINDOWS, Term

SUMMARY = (
    Term("format_version", "integer", "Version of the file format."),
    *WINDOWS,
    Term("kind", "text", "blend, buy-till-you-die or base-rate; labelled or labelled-base-rate for a labelled table."),
    Term("base_rate", "share", "Share that churned, as far as it is known."),
    Term("has_amounts", "boolean", "Whether the training orders had amounts.", nullable=True),
    Term("members", "object", "The members of the blend, with their weights."),
    Term(
        "buy_till_you_die", "object", "The models of the buy-till-you-die layer: weight and parameters.", nullable=True
    ),
    Term("season", "object", "How busy each month is, and how much of it is believed.", nullable=True),
    Term("valuation", "object", "What an order day is worth, and how punctual customers are.", nullable=True),
    Term(
        "spread",
        "object",
        "How far log odds may be from the truth: for all alike, by how far the members lie apart, and by themselves.",
        nullable=True,
    ),
    GUARDS,
    Term("features", "list", "Columns of the customer table that the learned members read."),
    Term("seed", "integer", "Seed of the fits."),
    Term(
        "figures",
        "object",
        "The honest check: out of time, or the cross-validation of a labelled table; empty without one.",
    ),
    Term("training", "object", "Rows, customers and cutoffs that were learned from."),
    Term("fingerprint", "object", "Counts and a digest of the training orders."),
    Term("versions", "object", "Versions of churnkit and of the libraries that made it."),
    Term("label", "object", "The label of a labelled table and what its values mean.", nullable=True),
)
_MOST_LISTED = 12


def shape() -> Shape:
    """What `model` answers."""
    return Shape(command="model", summary=SUMMARY)


def model(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A model file, as `churnkit train -o FILE` writes it.")],
    showing: Showing,
) -> None:
    """What is in a model file, without running anything in it.

    Examples:
      churnkit model shop.model
      churnkit model shop.model --format json
    """
    session = Session(showing, shape())
    import churnkit as ck

    card = ck.model_card(ck.load_model(file))
    session.show(
        summary={key: value for key, value in card.items() if key != "notes"},
        notes=card.get("notes", ()),
        view=View(title=file, facts=facts_of(card)),
        then=f"churnkit score ORDERS --model {file}",
    )


def facts_of(card: dict[str, object], above: str = "") -> list[Fact]:
    """What a model card says, one labelled value a line."""
    kinds = {term.name: term.kind for term in SUMMARY}
    facts = []
    for key, value in card.items():
        if value is None:
            continue
        label = f"{above} {key}".strip().replace("_", " ")
        if isinstance(value, dict):
            facts += facts_of(value, label)
        elif isinstance(value, list) and len(value) > _MOST_LISTED:
            facts.append(Fact(label, len(value), "integer"))
        elif key != "notes":
            facts.append(Fact(label, value, kinds.get(key, "number" if isinstance(value, float) else "text")))
    return facts
