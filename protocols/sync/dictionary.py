"""The words that entries are made of, known to both ends, so that an entry sent alone packs to half its size.

A zstandard dictionary (RFC 8878, section 5) for each version; a packed form names the one it needs by its number, so
that whoever reads knows all versions ever released, and whoever writes uses the newest that the other end has named.
`tests/protocols/sync/make_dictionary.py` tells how one is made. The rule that must not be broken: a dictionary once
released keeps its number and every byte.
"""

from base64 import b64decode
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zstandard import ZstdCompressionDict

NO_DICTIONARY = 0
DICTIONARY_NOW = 1
_IDS_FROM = 32_768
"""The number inside a packed form is a version's above this one: what is below is not for private use."""
_DICTIONARIES = {
    1: (
        "N6Qw7AGAAAApENDVAf8/GkPQcy/LZu+/7T8c9fM8z9/vn/+llJITpJRSSimRdQ0fggTTBwAARASwGF/nAAAEgEkRUEqChgaokTgYCAAAJLIYgDAA"
        "ijYAAACIAQAAAJDmBgAAAJSIRGEDQsEnkTAQAACBYdADAILrAQAAAAABAAAABAAAAAgAAADEECFGVlPaJ4696ER8IiFHzAUCrHdhcmRfcmVjZWlw"
        "dAHEmHsibGluZXMiOlt7Iml0ZW0iOiJMUTdaMlIiLCJsb3QiOiJBMjk0UU4iLCJxdHkiOjEsInNvdXJjZSI6InN1cHBsaWVyQGtzLTE5IiwidGFy"
        "Z2V0Ijoia3MtMTkiLCJ0YXJnZXRfcG9zaXRpb24iOiJTNSIsInVuaXQiOiJBMkQwQ0NGQ0ZCODBCRUQ3NzY0NDlENTQifV19plNHNUxTQZHEYprE"
        "EAGlI0uILXNftYqj3csSjxHPAaUjS4gtAADPAAZtEd8L8Q/PAAAAGVXlXVLEEEvf4EQduCpM7HRzyyYHXVMCpXZpc2l0AcQReyJwaGFzZSI6ImJl"
        "Z2luIn2mSFdVMFhYkcSimsQQAbnAlgwOel6rHrFN59E0Fc8BucCWDA4AAM8ABr2YSh8Wts8AAAAd6ULsGMQQca6V/Z/XGKZFCb1ZXcbLswKnb2Jz"
        "ZXJ2ZQHEVXsiZXBjIjoiQTdBRTdFQUIxMzUzQUQ5ODFDQjhGMTQ3IiwibW9kZWwiOiJsaXZlLTEiLCJwIjowLjk5LCJzaW5jZSI6Mzk4Njk5Mzc4"
        "Mzg3NzIxN32gkcTnmsQQAbIHB+/idpm4+NSC3IX0lM8BsgcH7+IAAM8ABp9rdwEMOc8AAAAL43hTHcQQw7Y2XPU/hcyiKIoH0hnpIwKlaXNzdWUB"
        "xJd7ImxpbmVzIjpbeyJpdGVtIjoiVTI2R1RLOCIsImxvdCI6IjVXMUhRQ0g0M0EiLCJxdHkiOjEsInNvdXJjZSI6ImJ1MyIsInNvdXJjZV9wb3Np"
        "dGlvbiI6IlMyIiwidGFyZ2V0IjoiaXNzdWVkQGJ1MyIsInVuaXQiOiI4NzA1NkUyQ0ZCOUNFMDYxQTAwNjBBRDgifV19pTRGTk5CkcRfmsQQAbwK"
        "bYP/fxqDByZJztLI2c8BvAptg/8AAM8ABsaIu8udlM8AAAAwEY/NVcQQz7AfnqpFijRZM7iu/jwgtQKldmlzaXQBxBF7InBoYXNlIjoiYmVnaW4i"
        "faNBTDORxQTZmsQQAaLciuCbebiOQasC5tNhNs8BotyK4JsAAM8ABmQtfn1eds4ADBPYxBAPQ63bulPRgUm9RX/vGLgZAqhiaW5kX3RhZwHFBI57"
        "ImJpbmRpbmdzIjpbeyJlcGMiOiIzQ0EzOEY3Mzg3NTBBMTQ1MjY3QThDNDMiLCJleHBpcnkiOiIyMDI3LTAxLTI3IiwiZ3RpbiI6IjI0MTUwNTM3"
        "NTkwMTczIiwiaXRlbSI6IkwzVVdIIiwibG90IjoiOTJQVVo0TFhBIiwic2VyaWFsIjoiMzgifSx7ImVwYyI6IjgyRDE0bG90IjoiM0ZMMjRQUjFE"
        "ViIsInNlcmlhbCI6IjY5In1dfaCRxGGaxBABtg+PljJwZrjhZq5Cx7qEzwG2D4+WMgAAzwAGryzI4rQCzwAAAAcr4Z+rxBBe47bm6HH8J5jPwTzr"
        "zxsFAqV2aXNpdAHEEXsicGhhc2UiOiJiZWdpbiJ9pVlaUjZRkcSkmsQQAZwJJs/bcVOEhbcTtCiGGc8BnAkmz9sAAM8ABkmDv5vy8M8AAAA3HvdK"
        "0MQQEv/CLFpKP5ZaHIXomToxYwKnb2JzZXJ2ZQHEV3siZXBjIjoiMjQ0MDg1NDhBMTUzMUE0MzBBRDA3NjE2IiwibW9kZWwiOiJ3aW5kb3ctMiIs"
        "InAiOjAuMDEsInNpbmNlIjo4MjM5NTI3MjQxMjM2MjkwfaCRxPiaxBABrhRIVkB+64i2PVSGtUsszwGuFEhWQAAAzwAGj/86kO3PzwAAAAbU0g18"
        "xBBNQZhD7XBDTiBVrBpfa3TTAqVpc3N1ZQHEqnsibGluZXMiOlt7Iml0ZW0iOiJRTFBaTTdBTCIsImxvdCI6IkpSVDI5UkpGMEYiLCJxdHkiOjEs"
        "InNvdXJjZSI6InN0b3Jlcm9vbS4yNSIsInNvdXJjZV9wb3NpdGlvbiI6IlM0IiwidGFyZ2V0IjoiaXNzdWVkQHN0b3Jlcm9vbS4yNSIsInVuaXQi"
        "OiI1MzgxRTIzRTY2OTVBMjBBRUMzRDZCQjEifV19o1dKMpHE3ZrEEAGpyQBjYXA6lPoLDvMhPLDPAanJAGNhAADPAAZ/OSmENBTPAAAAWKcR73LE"
        "ELhoB6Mz+tUzNINeB30QxesCqGJpbmRfdGFnAcSPeyJiaW5kaW5ncyI6W3siZXBjIjoiNDU4ODc4MTZBRTE3QzQwNTg2QTlGN0YyIiwiZXhwaXJ5"
        "IjoiMjAzMS0xMS0wNyIsImd0aW4iOiI1MTUwMzU1MzM0Mzg3OSIsIml0ZW0iOiI2TVg0TDY0RiIsImxvdCI6IkM5WkFWNCIsInNlcmlhbCI6IjE4"
        "MCJ9XX2gkcUDUprEEAG4n8Vre3eIhmdteU1j0C/PAbifxWt7AADPAAa5MBsr2ZfOAASdXMQQwjpqGI0fwSxnyv6+XB2qwAKnb3BlbmluZwHFAwh7"
        "ImxpbmVzIjpbeyJpdGVtIjoiNzBDQU0zOSIsImxvdCI="
    ),
}


def version_of(number: int) -> int:
    """Return the version that the number in a packed form means, `NO_DICTIONARY` for none."""
    return number - _IDS_FROM if number else NO_DICTIONARY


def newest(theirs: int) -> int:
    """Return the version to write with for an end that reads versions up to `theirs`."""
    return max(NO_DICTIONARY, min(DICTIONARY_NOW, theirs))


@cache
def dictionary(version: int) -> "ZstdCompressionDict | None":
    """Return a version's dictionary, None for one that is not known here."""
    import zstandard

    text = _DICTIONARIES.get(version)
    return None if text is None else zstandard.ZstdCompressionDict(b64decode(text))
