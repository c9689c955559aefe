package eryx_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
)

// refusals are what a sandbox does not have: how a script meets each, with the
// exception and what its message has to say.
var refusals = []struct{ source, class, says string }{
	{"import threading; threading.Thread(target=print).start()", "RuntimeError", "a sandbox has one thread"},
	{"import threading; threading.Timer(1, print).start()", "RuntimeError", "a sandbox has one thread"},
	{"import _thread; _thread.start_new_thread(print, ())", "RuntimeError", "a sandbox has one thread"},
	{"import concurrent.futures as f; f.ThreadPoolExecutor().submit(print)", "RuntimeError", "a sandbox has one thread"},
	{"import concurrent.futures as f; f.ProcessPoolExecutor().submit(print)", "NotImplementedError", "multiprocessing"},
	{"import multiprocessing; multiprocessing.Process(target=print).start()", "AttributeError", "one process"},
	{"import multiprocessing; multiprocessing.Pool(2)", "AttributeError", "one process"},
	{"import multiprocessing; multiprocessing.Queue()", "ModuleNotFoundError", "one process"},
	{"import subprocess; subprocess.run(['ls'])", "OSError", "one process"},
	{"import subprocess; subprocess.check_output('ls', shell=True)", "OSError", "one process"},
	{"import subprocess; subprocess.Popen('ls')", "OSError", "one process"},
	{"import os; os.popen('ls')", "OSError", "one process"},
	{"import os; os.system('ls')", "AttributeError", "one process"},
	{"import os; os.fork()", "AttributeError", "one process"},
	{"import os; os.execv('/bin/ls', ['ls'])", "AttributeError", "one process"},
	{"import os; os.execlp('ls', 'ls')", "AttributeError", "one process"},
	{"import os; os.spawnv(0, '/bin/ls', ['ls'])", "AttributeError", "one process"},
	{"import os; os.posix_spawn('/bin/ls', ['ls'], {})", "AttributeError", "one process"},
	{"import os; os.kill(os.getpid(), 9)", "AttributeError", "one process"},
	{"import os; os.waitpid(-1, 0)", "AttributeError", "one process"},
	{"import os; os.pipe()", "AttributeError", "one process"},
	{"import os; os.getuid()", "AttributeError", "no users"},
	{"import os; os.get_terminal_size()", "AttributeError", "no terminal"},
	{"import asyncio; await asyncio.create_subprocess_exec('ls')", "OSError", "one process"},
	{"import asyncio; await asyncio.create_subprocess_shell('ls')", "OSError", "one process"},
	{"import asyncio; await asyncio.to_thread(print)", "RuntimeError", "no threads in a sandbox"},
	{"import signal; signal.alarm(1)", "AttributeError", "no signals but the host's interrupt"},
	{"import signal; signal.pause()", "AttributeError", "no signals but the host's interrupt"},
	{"import time; time.tzset()", "AttributeError", "UTC"},
	{"import select; select.epoll()", "AttributeError", "poll()"},
	{"import hashlib; hashlib.scrypt(b'', salt=b'', n=2, r=1, p=1)", "AttributeError", "without OpenSSL"},
	{"import ctypes; ctypes.CDLL('x')", "OSError", "cannot call C"},
	{"import socket; socket.create_connection(('example.com', 80))", "PermissionError", noNetwork},
	{"import socket; socket.socket().connect(('192.0.2.1', 80))", "PermissionError", noNetwork},
	{"import socket; socket.socket(socket.AF_INET6).bind(('::1', 80))", "PermissionError", noNetwork},
	{"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'', ('127.0.0.1', 53))", "PermissionError", noNetwork},
	{"import socket; socket.create_server(('127.0.0.1', 8000))", "PermissionError", noNetwork},
	{"import socket; socket.socketpair()", "PermissionError", noNetwork},
	{"import socket; socket.getaddrinfo('example.com', 80)", "PermissionError", noNetwork},
	{"import socket; socket.getaddrinfo('127.0.0.1', 80)", "PermissionError", noNetwork},
	{"import socket; socket.gethostbyname('localhost')", "PermissionError", noNetwork},
	{"import urllib.request; urllib.request.urlopen('http://example.com')", "urllib.error.URLError", noNetwork},
	{"import http.client; http.client.HTTPConnection('example.com').request('GET', '/')", "PermissionError", noNetwork},
	{"import ftplib; ftplib.FTP('example.com')", "PermissionError", noNetwork},
	{"import socketserver; socketserver.UDPServer(('127.0.0.1', 0), None)", "PermissionError", noNetwork},
	{"import http.server; http.server.HTTPServer(('', 0), None)", "PermissionError", noNetwork},
	{"import lzma", "ModuleNotFoundError", "without lzma"},
	{"import bz2; bz2.compress(b'x')", "OSError", "without bzip2"},
	{"import bz2; bz2.decompress(b'x')", "OSError", "without bzip2"},
	{"import compression.zstd", "ModuleNotFoundError", "without zstd"},
	{"import _hashlib", "ModuleNotFoundError", "without OpenSSL"},
	{"import readline", "ModuleNotFoundError", "no terminal"},
	{"import curses", "ModuleNotFoundError", "no terminal"},
	{"import tkinter", "ModuleNotFoundError", "no display"},
	{"import turtle", "ModuleNotFoundError", "no display"},
	{"import pwd", "ModuleNotFoundError", "no users"},
	{"import grp", "ModuleNotFoundError", "no users"},
	{"import resource", "ModuleNotFoundError", "set by its host"},
	{"import fcntl", "ModuleNotFoundError", "no file locks"},
	{"import mmap", "ModuleNotFoundError", "cannot map files"},
	{"import test.support", "ModuleNotFoundError", "--stdlib full"},
	{"import idlelib", "ModuleNotFoundError", "--stdlib full"},
	{"import pip", "ModuleNotFoundError", "eryx-build bundle -p"},
	{"import tzdata", "ModuleNotFoundError", "eryx-build bundle -p tzdata"},
	{"input()", "EOFError", "EOF"},
	{"import getpass; getpass.getpass()", "EOFError", ""},
}

const noNetwork = "a sandbox has no network but what its host allows"

func TestRefusals(t *testing.T) {
	for _, test := range refusals {
		raised := mustRaise(t, test.source, nil)
		if raised.Type != test.class || !strings.Contains(raised.Message, test.says) {
			t.Errorf("%s\ngave %s: %s; want %s that says %q", test.source, raised.Type, raised.Message, test.class, test.says)
		}
		if raised.Line != 1 || strings.Contains(raised.Traceback, "eryx_support") {
			t.Errorf("%s\nline %d\n%s", test.source, raised.Line, raised.Traceback)
		}
	}
	raised := mustRaise(t, "import zoneinfo; zoneinfo.ZoneInfo('Europe/Paris')", nil)
	if raised.Type != "zoneinfo._common.ZoneInfoNotFoundError" || !strings.Contains(raised.Traceback, "-p tzdata") {
		t.Errorf("%s", explain(raised))
	}
}

// TestRefusalsAreNoSurprise shows that who asks first gets the answer that the
// base gives, and that what is there works.
func TestRefusalsAreNoSurprise(t *testing.T) {
	result := mustExecute(t, `
import importlib.util, io, os, signal, sys, tarfile, hashlib, webbrowser, subprocess
from os import *
buffer = io.BytesIO()
tarfile.open(fileobj=buffer, mode="w").close()
buffer.seek(0)
class P(subprocess.Popen): pass
result = {
    "has": [n for n in ("fork", "system", "pipe", "getuid", "execvp", "kill") if hasattr(os, n)],
    "specs": [n for n in ("readline", "tkinter", "test", "fcntl") if importlib.util.find_spec(n)],
    "tar": tarfile.open(fileobj=buffer).getnames(),
    "pbkdf2": hashlib.pbkdf2_hmac("sha256", b"passwordPASSWORDpassword", b"saltSALTsaltSALTsaltSALTsaltSALTsalt", 4096, 40).hex(),
    "browser": webbrowser.open("http://example.com"),
    "all": [n for n in os.__all__ if not hasattr(os, n)],
    "unknown": str(getattr(os, "nothing", None)),
}`, nil)
	var got map[string]any
	if err := json.Unmarshal(result.Value, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"has": []any{}, "specs": []any{}, "tar": []any{}, "all": []any{}, "browser": false, "unknown": "None",
		"pbkdf2": "348c89dbcbd32b2f32d814b8116e84cf2b17347ebc1800181c4e2a1fb8dd53e1c635518c7dac47e9",
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

// TestAttackHooksAroundErrors has hooks of a script raise while its exception is
// being described.
func TestAttackHooksAroundErrors(t *testing.T) {
	for _, test := range []struct{ source, class string }{
		{"import sys\nm = sys.monitoring\nm.use_tool_id(3, 'x')\ndef f(*a): raise KeyError('hook')\nm.register_callback(3, m.events.LINE, f)\nm.set_events(3, m.events.LINE)\nx = 1", "KeyError"},
		{"import sys\ndef f(*a): raise KeyError('hook')\nsys.addaudithook(f)\n1/0", "ZeroDivisionError"},
		{"import sys\ndef f(*a): raise KeyError('hook')\nsys.settrace(f)\ndef g(): pass\ng()", "KeyError"},
		{"import sys\ndef f(*a): raise KeyError('hook')\nsys.setprofile(f)\nlen('')", "KeyError"},
	} {
		if raised := mustRaise(t, test.source, nil); raised.Type != test.class {
			t.Errorf("%s\ngave %s", test.source, explain(raised))
		}
	}
	assertWorks(t)
}
