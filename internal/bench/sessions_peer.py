"""Does in pyeryx what sessions.go does here: one task, so many times, for each line
that it reads."""

import itertools
import sys
import threading
import time

import eryx

# Its snapshots are 10 MiB at most, so without the 10 MB of bytes.
LARGE = "ints = list(range(1_250_000))"


class Tasks:
    """Each task is made when it is first asked for."""

    def session(self):
        session = eryx.Session()
        return lambda: session.execute("x = 1")

    def session_new(self):
        session = eryx.Session()
        numbers = itertools.count()
        return lambda: session.execute(f"x = {next(numbers)}")

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


    def throughput(self, workers, each):
        pool = eryx.SandboxFactory(imports=["json", "re"]).create_pool(max_size=workers, min_idle=workers)

        def work():
            for _ in range(each):
                with pool.acquire() as sandbox:
                    sandbox.execute("x = 1")

        def run():
            threads = [threading.Thread(target=work) for _ in range(workers)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

        return run


made = {}
for line in sys.stdin:
    count, name = line.strip().split(" ", 1)
    count = int(count)
    if name not in made:
        task, *arguments = name.split()
        made[name] = getattr(Tasks(), task)(*map(int, arguments))
    run = made[name]
    wall, cpu = time.perf_counter_ns(), time.process_time_ns()
    for _ in range(count):
        run()
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    print(wall // count, cpu // count, flush=True)
