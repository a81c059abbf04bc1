"""How the API gives lists: `limit` and `cursor` come in, `items` and the address of the next page go out.

It holds no list. The rule that must not be broken: a reader who follows `next` until it is null has seen every row that
was there all the time, each once.
"""

import re
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import parse_qsl, quote_plus, urlencode

from fastapi import Depends, Query, Request
from pydantic import BaseModel, Field

from central.store.paging import CURSOR_MAX, LIMIT_DEFAULT, LIMIT_MAX, Page, PageAsked

_AS_WRITTEN = re.compile(r"[\w.~=&-]*", re.ASCII)
"""Words of an address in which nothing stands for another character."""


class Listed(BaseModel):
    """What every list has beside its items."""

    next: str | None = Field(default=None, description="Address of the next page; null on the last")


@dataclass(frozen=True, slots=True)
class Paging:
    """Which page is asked for, and the request it was asked with."""

    asked: PageAsked
    request: Request

    def next(self, page: Page[Any] | str) -> str | None:
        """Return the address of the page after one, or after a cursor; None when there is none."""
        cursor = page if isinstance(page, str) else page.cursor
        if not cursor:
            return None
        scope = self.request.scope  # its words are enough: the framework's own address is costly to make
        asked = scope["query_string"].decode("latin-1")
        if not _AS_WRITTEN.fullmatch(asked):
            asked = urlencode(parse_qsl(asked, keep_blank_values=True))
        kept = [said for said in asked.split("&") if said and not said.startswith("cursor=")]
        return f"{scope['path']}?{'&'.join([*kept, f'cursor={quote_plus(cursor)}'])}"


async def _paging(
    request: Request,
    limit: Annotated[int, Query(ge=1, le=LIMIT_MAX, description="Rows a page")] = LIMIT_DEFAULT,
    cursor: Annotated[str, Query(max_length=CURSOR_MAX, description="As the page before gave it in `next`")] = "",
) -> Paging:
    return Paging(PageAsked(limit, cursor), request)


Paged = Annotated[Paging, Depends(_paging)]
"""What a route of a list writes for its page."""
