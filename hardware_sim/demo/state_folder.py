"""Where a demo keeps everything: the folder that was named, or a temporary one that goes with a demo that was right.

The rule that must not be broken: nothing a person named is ever removed, and nothing that shows why a demo failed.
"""

import shutil
import tempfile
from pathlib import Path

from hardware_sim.demo.options import Options
from hardware_sim.demo.terminal import say
from hardware_sim.sample.files import make_empty
from hardware_sim.story.words import sentence


class StateFolder:
    """One demo's folder. Raises `WrongUse` when the one that was named is not empty."""

    def __init__(self, options: Options) -> None:
        self._lang = options.lang
        self.kept = options.state is not None
        if options.state is None:
            self.path = Path(tempfile.mkdtemp(prefix="wardstock-"))
        else:
            make_empty(options.state)
            self.path = options.state.absolute()

    def keep(self) -> None:
        """Remember that the folder shows what went wrong."""
        self.kept = True

    def leave(self) -> None:
        """Remove the folder, or say where it is kept."""
        if self.kept:
            say(sentence(self._lang, "kept", {"state": self.path}))
        else:
            shutil.rmtree(self.path, ignore_errors=True)
