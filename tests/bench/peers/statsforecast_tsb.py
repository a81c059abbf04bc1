"""Run by the benchmark in the peer's environment: TSB forecasts of the series on stdin; prints series a second of
processor time."""

import json
import sys
import time

import numpy as np
import pandas as pd  # type: ignore[import-not-found, import-untyped, unused-ignore] # stands in the peer's environment
from statsforecast import StatsForecast  # type: ignore[import-not-found, unused-ignore] # the same
from statsforecast.models import TSB  # type: ignore[import-not-found, unused-ignore] # the same

series = np.array(json.load(sys.stdin), float)
count, days = series.shape
frame = pd.DataFrame(
    {"unique_id": np.repeat(np.arange(count), days), "ds": np.tile(np.arange(1, days + 1), count), "y": series.ravel()}
)
model = StatsForecast(models=[TSB(alpha_d=0.1, alpha_p=0.1)], freq=1, n_jobs=1)
model.forecast(df=frame[frame.unique_id < 10], h=1)  # compiles
start_ns = time.process_time_ns()
model.forecast(df=frame, h=1)
sys.stdout.write(f"{count * 1e9 / (time.process_time_ns() - start_ns)}\n")
