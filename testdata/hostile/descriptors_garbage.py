# expect: ok ""
import os
for fd in (-1, -2, 99, 2**31 - 1, -(2**31), 3, 4, 5):
    for call in (os.fstat, os.close, lambda f: os.read(f, 1), lambda f: os.write(f, b"x"), os.fsync, lambda f: os.lseek(f, 0, 0),
                 lambda f: os.ftruncate(f, 0), os.isatty, os.listdir, os.set_blocking and (lambda f: os.set_blocking(f, False)),
                 os.get_inheritable, os.scandir, lambda f: os.pread(f, 1, -1), lambda f: os.posix_fallocate(f, 0, 1)):
        try: call(fd)
        except Exception: pass
