"""Does in pyeryx what sessions.go does here: one task for each line it reads."""

import sys
import time

import eryx

# Its snapshots are 10 MiB at most, so without the 10 MB of bytes.
LARGE = "ints = list(range(1_250_000))"


class Tasks:
    """Each task is made when it is first asked for."""

    def session(self):
        session = eryx.Session()
        return lambda: session.execute("x = 1")

    def pool(self):
        pool = eryx.SandboxFactory(imports=["json", "re"]).create_pool(max_size=1, min_idle=1)

        def cycle():
            with pool.acquire() as sandbox:
                sandbox.execute("x = 1")

        return cycle

    def five(self):
        def run():
            session = eryx.Session()
            for _ in range(5):
                session.execute("x = 1")

        return run

    def _snapshot(self, source):
        session = eryx.Session()
        session.execute(source)
        return session.snapshot_state

    def _restore(self, source):
        session = eryx.Session()
        session.execute(source)
        snapshot = session.snapshot_state()
        return lambda: session.restore_state(snapshot)

    def snapshot(self):
        return self._snapshot("x = 1")

    def restore(self):
        return self._restore("x = 1")

    def snapshot_large(self):
        return self._snapshot(LARGE)

    def restore_large(self):
        return self._restore(LARGE)


made = {}
for line in sys.stdin:
    name = line.strip()
    if name not in made:
        made[name] = getattr(Tasks(), name)()
    run = made[name]
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    run()
    print(time.perf_counter_ns() - wall, time.process_time_ns() - cpu, flush=True)
