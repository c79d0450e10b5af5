"""Threads and the clock.

Frameworks read their number of threads from the environment while they are imported, so this module
imports none of them and is called first.
"""

import os
import time
from collections.abc import Callable

# The last is the size of XLA's thread pools, which no XLA flag sets: under flags alone a step of
# "one thread" is still passed from thread to thread, about a third slower at the notebook's shape.
THREAD_VARIABLES = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPROC")


def limit_threads(threads: int) -> None:
    """Ask every library of this process for so many threads. Call before importing any of them."""
    for variable in THREAD_VARIABLES:
        os.environ[variable] = str(threads)
    split = "true" if threads > 1 else "false"
    os.environ["XLA_FLAGS"] = f"--xla_cpu_multi_thread_eigen={split}"


def per_second(run: Callable[[], int], seconds: float) -> tuple[float, float]:
    """Call `run` until the time is up: what it counted per second, and the cores it kept busy."""
    count, cpu, start = 0, time.process_time(), time.perf_counter()
    while (elapsed := time.perf_counter() - start) < seconds:
        count += run()
    return count / elapsed, (time.process_time() - cpu) / elapsed
