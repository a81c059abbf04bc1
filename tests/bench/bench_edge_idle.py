"""The share of a core that an agent takes while nobody is there: without readers, and with two readers of 300 tags."""

import time

from tests.bench.edge_machine import end, machine, share_over
from tests.bench.measure import report_bar

SETTLES_S = 8.0
QUIET_S, READ_S = 60.0, 30.0
QUIET_MAX, READ_MAX = 0.003, 0.05

with machine(tags=300) as made:
    agent = made.start()
    time.sleep(SETTLES_S)
    quiet, _ = share_over(made, agent.pid, QUIET_S)
    end(agent)
report_bar("edge_idle", ratio=quiet / QUIET_MAX, bar=1.0, what="share of a core without readers, of 0.3 %", share=quiet)

with machine(tags=600, readers=((1, 300, 150.0), (2, 300, 150.0))) as made:
    agent = made.start()
    time.sleep(SETTLES_S)
    read, heard = share_over(made, agent.pid, READ_S)
    end(agent)
report_bar(
    "edge_two_readers",
    ratio=read / READ_MAX,
    bar=1.0,
    what="share of a core with 2 readers x 300 tags each 2 s, of 5 %",
    share=read,
    reads_a_s=heard,
)
