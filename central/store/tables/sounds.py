"""The table of how items sound, beside the items: what people type who look for a name by its pinyin.

Forms only. The rule that must not be broken: a row is made from the item's name and never entered by hand.
"""

from typing import ClassVar

from sqlmodel import Field, SQLModel


class ItemSoundRow(SQLModel, table=True):
    """One item: the first letters of its Chinese name, and the whole spelling without tones."""

    __tablename__: ClassVar[str] = "item_sound"

    hospital: str = Field(primary_key=True)
    item: str = Field(primary_key=True)
    initials: str
    spelled: str


ITEM_SOUND = SQLModel.metadata.tables["item_sound"]
