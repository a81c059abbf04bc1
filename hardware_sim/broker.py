"""A small MQTT broker for demos and tests: `python -m hardware_sim.broker [--port N]`. It is amqtt, embedded.

It listens on 127.0.0.1, keeps nothing, and lets everybody in; a hospital runs mosquitto. It prints
`listening HOST:PORT` when it serves and ends on SIGTERM. This is the one file with asyncio in it, because amqtt is
written so. The rule that must not be broken: nothing of the product may depend on what a broker remembers.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import signal
import sys
from collections.abc import Sequence

from amqtt.broker import Broker
from amqtt.errors import AMQTTError, BrokerError

HOST = "127.0.0.1"
STOP_TIMEOUT_S = 3.0
"""amqtt may hang in its own shutdown; there is nothing to save, so it is left after this."""

CONNECTIONS_MAX = 200


def main(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT; returns 0, or 1 with one line when the port cannot be had."""
    parser = argparse.ArgumentParser(prog="python -m hardware_sim.broker", description="An MQTT broker for demos.")
    parser.add_argument("--port", type=int, default=0, help="0: any free port")
    port: int = parser.parse_args(arguments).port
    logging.getLogger("amqtt").setLevel(logging.CRITICAL)
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    try:
        asyncio.run(_serve(port))
    except (BrokerError, OSError) as error:
        print(f"broker: expected to listen on {HOST}:{port}, got: {error}; choose another port", file=sys.stderr)
        return 1
    return 0


async def _serve(port: int) -> None:
    broker = Broker(_config(port))
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await broker.start()
    print(f"listening {HOST}:{_port_of(broker)}", flush=True)
    await stopped.wait()
    with contextlib.suppress(TimeoutError, AMQTTError):
        await asyncio.wait_for(broker.shutdown(), STOP_TIMEOUT_S)
    os._exit(0)  # tasks that amqtt left behind must not keep the process


def _config(port: int) -> dict[str, object]:
    listener = {"type": "tcp", "bind": f"{HOST}:{port}", "max_connections": CONNECTIONS_MAX}
    return {
        "listeners": {"default": listener},
        "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
    }


def _port_of(broker: Broker) -> int:
    """Return the port that was given; amqtt does not tell it, so its server's socket is asked."""
    server = broker._servers["default"].instance  # there is no public way
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
