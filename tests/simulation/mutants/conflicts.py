"""Mistakes in answering conflicts: one that is never taken back, one that is given with every look."""

from typing import Any

import pytest

from central.core.conflicts import pieces
from central.core.conflicts.pieces import Piece, Said
from central.store import queries_conflicts

Patch = pytest.MonkeyPatch


def answer_never_taken_back(patch: Patch) -> None:
    """What was posted for a conflict stays, though later facts show none, or another."""
    difference = pieces._difference

    def only_adds(wanted: Any, posted: Any) -> Any:  # noqa: ANN401 # as they came
        wants = set(wanted)
        return [carry for carry in difference(wanted, posted) if carry in wants]

    patch.setattr(pieces, "_difference", only_adds)


def answer_given_again(patch: Patch) -> None:
    """What was posted for a conflict before is not looked at."""
    said_of = queries_conflicts.said_of

    def facts_alone(*asked: Any) -> dict[Piece, list[Said]]:  # noqa: ANN401 # as they came
        return {piece: [one for one in said if not one.ours] for piece, said in said_of(*asked).items()}

    patch.setattr(queries_conflicts, "said_of", facts_alone)
