"""The host's functions, for modules; scripts have them as globals.

    from eryx import callbacks, CallbackError

    async def find(text):
        return await callbacks.search.query(text)
"""

from eryx_support.callbacks import (
    CallbackError,
    CallbackLimitError,
    CallbackTimeoutError,
    invoke,
    list_callbacks,
    root as callbacks,
    run_sync,
)

__all__ = [
    "CallbackError",
    "CallbackLimitError",
    "CallbackTimeoutError",
    "callbacks",
    "invoke",
    "list_callbacks",
    "run_sync",
]
