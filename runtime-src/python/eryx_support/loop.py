"""The event loop of sandboxes.

It is asyncio's own selector loop but for three things: nothing but the loop
itself runs, so it needs no pipe to be woken through, and no socket pair for
one; it waits in a single call of the host, which the only signal there is ends;
and there are no threads to run blocking functions in.
"""

from eryx_support.builtins_copy import builtins_copy as __builtins__

import asyncio
import os
import selectors
import signal
import socket
from asyncio import unix_events
from inspect import iscoroutinefunction
from math import ceil

from eryx_support import callbacks, host, refusals
from eryx_support.streams import flush

_wait = host.wait

# The longest wait: what nobody waits for ends by the host.
_HOUR = 3600


class _Selector(selectors.DefaultSelector):
    """Sleeps where there is no file to wait for."""

    def select(self, timeout=None):
        if timeout is None or timeout > 0:
            flush()  # what has been printed is seen while the script waits
        if callbacks.pending:
            return self._select_with_calls(timeout)
        if self.get_map():
            host.poll_briefly()
            return super().select(timeout)
        if timeout is None:
            # Nothing can wake the loop any more. CPython waits, and so does
            # this, until the host's time limit or an interrupt ends it.
            timeout = _HOUR
        if timeout > 0:
            # Not time.sleep(), which goes on when a signal's handler returns:
            # that of asyncio.run() cancels the task, which the loop has to see.
            _wait(ceil(min(timeout, _HOUR) * 1e9))
        return []

    def _select_with_calls(self, timeout):
        if not self.get_map():
            callbacks.deliver(timeout)
            return []
        callbacks.interrupt_poll()
        host.poll_briefly()
        # Only a wait with an end can be interrupted.
        ready = super().select(_HOUR if timeout is None else min(timeout, _HOUR))
        callbacks.deliver(0)
        return ready


class SandboxEventLoop(asyncio.SelectorEventLoop):
    """asyncio's event loop, without self-pipe and threads."""

    def __init__(self, selector=None):
        super().__init__(_Selector() if selector is None else selector)

    def _make_self_pipe(self):
        self._ssock = self._csock = None

    def _close_self_pipe(self):
        pass

    def _write_to_self(self):
        pass

    def run_in_executor(self, executor, func, *args):
        if executor is None and getattr(func, "__name__", None) == "readinto":
            # That of sendfile(): a file is read at once.
            done = self.create_future()
            try:
                done.set_result(func(*args))
            except Exception as error:
                done.set_exception(error)
            return done
        raise RuntimeError(
            "there are no threads in a sandbox, so run_in_executor() and asyncio.to_thread() "
            "cannot run a function beside the event loop; call it directly"
        )

    def set_default_executor(self, executor):
        raise RuntimeError("there are no threads in a sandbox, so the event loop has no executor")

    # Python calls a signal's handler between two bytecodes, where the loop may
    # be changed as by any callback; and the signal ends the loop's wait.

    def add_signal_handler(self, sig, callback, *args):
        if asyncio.iscoroutine(callback) or iscoroutinefunction(callback):
            raise TypeError("coroutines cannot be used with add_signal_handler()")
        self._check_closed()
        handle = asyncio.Handle(callback, args, self)

        def deliver(number, frame):
            if not handle.cancelled():
                self._ready.append(handle)

        try:
            signal.signal(sig, deliver)
        except OSError:
            raise RuntimeError(f"sig {sig} cannot be caught") from None
        self._drop_signal_handle(sig)
        self._signal_handlers[sig] = handle

    def remove_signal_handler(self, sig):
        if not self._drop_signal_handle(sig):
            return False
        signal.signal(sig, signal.default_int_handler if sig == signal.SIGINT else signal.SIG_DFL)
        return True

    def _drop_signal_handle(self, sig):
        handle = self._signal_handlers.pop(sig, None)
        if handle is not None:
            handle.cancel()
        return handle is not None

    async def create_server(self, *args, **kwargs):
        # The base class goes on to the next address where it gets no socket,
        # and in the end says that there are no more.
        socket.socket().close()
        return await super().create_server(*args, **kwargs)

    # The base class gives these two to the executor; here the host resolves
    # names, while the loop goes on.

    async def getaddrinfo(self, host, port, *, family=0, type=0, proto=0, flags=0):
        with await self._look_up(host, flags):
            return socket.getaddrinfo(host, port, family, type, proto, flags)

    async def _look_up(self, name, flags):
        """Waits until getaddrinfo() can resolve a name at once."""
        lookup = _Lookup(name, flags)
        if lookup.descriptor:
            try:
                done = self.create_future()
                self.add_reader(lookup.descriptor, _set_done, done)
                try:
                    await done
                finally:
                    self.remove_reader(lookup.descriptor)
                host.adopt_lookup(lookup.descriptor)
            except:
                lookup.close()
                raise
        return lookup

    async def sock_connect(self, sock, address):
        try:
            return await super().sock_connect(sock, address)
        except PermissionError as error:
            raise refusals.connecting(error, address) from None

    async def getnameinfo(self, sockaddr, flags=0):
        return socket.getnameinfo(sockaddr, flags)


def _set_done(future):
    if not future.done():
        future.set_result(None)


class _Lookup:
    """A name that the host resolves, as a file descriptor; 0 is none."""

    def __init__(self, name, flags):
        self.descriptor = 0
        if isinstance(name, str) and not flags & socket.AI_NUMERICHOST:
            try:
                self.descriptor = host.begin_lookup(name.encode("idna"))
            except (UnicodeError, ValueError):
                pass  # which getaddrinfo() tells

    def close(self):
        if self.descriptor:
            os.close(self.descriptor)
            self.descriptor = 0

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self.close()


def _install():
    """Makes the loop the one that asyncio uses, however it is asked for."""
    unix_events._UnixDefaultEventLoopPolicy._loop_factory = SandboxEventLoop
    for module in (asyncio, unix_events):
        module.SelectorEventLoop = module.EventLoop = SandboxEventLoop


_install()


def run(coroutine):
    """Runs a script's coroutine to its end, and whatever it left behind; a
    generator, like those of :mod:`eryx_support.script`."""
    with asyncio.Runner(loop_factory=SandboxEventLoop) as runner:
        yield runner.run, (coroutine,)


def run_nested(awaitable):
    """Runs an awaitable to its end while another loop may be running, which
    stands still meanwhile."""
    outer = asyncio._get_running_loop()
    if asyncio.isfuture(awaitable) and awaitable.get_loop() is outer and not awaitable.done():
        raise RuntimeError(
            "run_sync() cannot wait for a task or future of the event loop that it stops: await it"
        )
    task = None
    if outer is not None:
        task = asyncio.tasks._swap_current_task(outer, None)
        asyncio._set_running_loop(None)
    try:
        with asyncio.Runner(loop_factory=SandboxEventLoop) as runner:
            return runner.run(_awaited(awaitable))
    finally:
        if outer is not None:
            asyncio._set_running_loop(outer)
            asyncio.tasks._swap_current_task(outer, task)


async def _awaited(awaitable):
    return await awaitable
