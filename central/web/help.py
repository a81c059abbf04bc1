"""The page of help: the first hour step by step, what is done where, and what each figure means.

It decides nothing; figures explain themselves by the words they are shown with, rules on their own page. The rule that
must not be broken: a step is done when its result stands in the store.
"""

from fastapi import FastAPI, Request
from starlette.responses import Response

from central.core.figures import DEFINITIONS
from central.core.rights import Right
from central.services.desk import Desk
from central.services.first_hour import first_hour
from central.web.porter import Porter, keep_language
from central.web.render import Renderer


def add_help(pages: FastAPI, renderer: Renderer, porter: Porter, desk: Desk) -> None:
    """Add the page."""

    @pages.get("/help")
    def shown(request: Request) -> Response:
        visit, caller = porter.visit_of(request)
        steps = first_hour(desk) if caller.may(Right.SEE_STOCK) else []
        answer = renderer.page(
            "help.html.j2", visit, steps=steps, next=next((one.name for one in steps if not one.done), ""),
            figures=[one.value for one in DEFINITIONS], sees=caller.may(Right.SEE_STOCK),
        )  # fmt: skip
        keep_language(request, visit, answer)
        return answer
