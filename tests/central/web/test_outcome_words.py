"""What a job said of its run is told in the reader's language, each count with its word."""

import re

import pytest

from central.store.queries_jobs import LastRun
from central.web.languages import Language
from central.web.render import About, Renderer, Visit
from protocols.values.instant import plus
from tests.central.hospital import START

OUTCOMES = {
    "reconcile": "4 storerooms, 0 opened, 1 closed",
    "replenish": "1 made, 2 renewed, 0 withdrawn, 3 without a source; 2 cut by the budget",
    "figures": "40 figures kept",
    "counts": "6 lines asked to be counted",
    "purchasing": "0 items listed for bargaining, 6 suppliers scored, 0 disruptions over, 0 items frozen as baseline, "
    "0 listed for review, 60 classed",
    "month": "2026-03 is open",
    "statement": "3 storerooms stated",
    "conflicts": "2 conflicts opened, closed or answered",
    "master": "1 changes took effect",
    "acts": "7 acts let go",
    "reports": "1 reports made",
    "charges": "5 charges taken in, 1 known already, 2 do not fit",
}


def shown(language: Language, outcomes: dict[str, str]) -> list[str]:
    runs = [LastRun(job, 300, START, said, plus(START, 300)) for job, said in outcomes.items()]
    page = bytes(Renderer(About("1", told_time=False)).page("jobs.html.j2", Visit(language), runs=runs, now=START).body)
    cells = re.findall(r'<(?:strong|span class="cell")>(.*?)</(?:strong|span)>', page.decode(), re.DOTALL)
    return [" ".join(re.sub(r"<[^>]+>", "", cell).split()) for cell in cells]


def test_every_job_and_what_it_said_is_told_in_chinese() -> None:
    said = shown(Language.ZH, OUTCOMES)
    assert "4 个库房，新开 0，关闭 1" in said
    assert "新增、关闭或处理矛盾 2 条" in said
    assert [one for one in said if re.search(r"[A-Za-z]{3}", one) and one not in OUTCOMES] == []


def test_english_says_what_the_job_said() -> None:
    said = shown(Language.EN, OUTCOMES)
    assert "5 charges taken in, 1 known already, 2 do not fit" in said
    assert "2 contradictions opened, closed or answered" in said
    assert shown(Language.EN, {"reports": "1 reports made", "counts": "1 lines asked to be counted"})[2::4] == [
        "1 report made",
        "1 line asked to be counted",
    ]


@pytest.mark.parametrize("language", list(Language))
def test_what_has_no_word_is_shown_as_it_was_said(language: Language) -> None:
    assert any("failed: disk full" in one for one in shown(language, {"reports": "failed: disk full; 1 reports made"}))
