"""What is told of requests to whoever collects traces, metrics and logs: nothing.

Merely to ask whether somebody listens took some 8 % of a profile of pages. The rule that must not be broken: the API
and the pages are told the same, here.
"""

from fastapi.telemetry import TelemetryConfig

UNTOLD: TelemetryConfig = {"tracing": False, "metrics": False, "logs": False}
