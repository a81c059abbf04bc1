"""The weekly reconcile: documents against documents, signed by the keeper with one card; nothing is counted. Pure.

What was delivered is held against what was received, what was taken against what was used and given back. The rule that
must not be broken: what is not even is signed as not even; it is never made even by signing.

Source: requirement E1: the weekly reconcile matches documents, signed by the keeper, no physical count.
"""

from msgspec.structs import asdict

from edge_agent.core.duties import Duty
from edge_agent.core.recognise import Draft
from edge_agent.core.work.bodies import not_yours, staff, who_may
from edge_agent.core.work.scene import Decision, Scene, Week
from edge_agent.core.work.words import Word, sentence
from protocols.movements.bodies import write_body
from protocols.movements.reports import DutyBody
from protocols.readers.scanner import Beep

SIGNED = "signed"
"""The state of a signature: the round judges by it whether the duty was done, late or missed."""


def reconcile(scene: Scene) -> Decision:
    """The card RECONCILE: the keeper signs what the week comes to."""
    visit, week = scene.present, scene.facts.week or Week()
    if not who_may(visit.roles, "duty"):
        return not_yours(scene, "duty", Duty.WEEKLY_RECONCILE.value)
    word = Word.EVEN if week.even else Word.UNEVEN
    about = {"actor": staff(visit.actor), **asdict(week)}
    body = DutyBody(Duty.WEEKLY_RECONCILE.value, 0, SIGNED, said=sentence(word, about))
    draft = Draft("duty", write_body(body), visit.actor)
    return Decision(visit, Beep.OK if week.even else Beep.LOOK, word, about, (draft,))
