package eryx_test

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"testing"
)

// lines reads commands and writes what answer says to each, until that is empty.
func lines(conn net.Conn, greeting string, answer func(command, argument string) string) {
	reader := bufio.NewReader(conn)
	for text := greeting; text != ""; {
		if _, err := fmt.Fprint(conn, text); err != nil {
			return
		}
		line, err := reader.ReadString('\n')
		if err != nil {
			return
		}
		command, argument, _ := strings.Cut(strings.TrimSpace(line), " ")
		text = answer(strings.ToUpper(command), argument)
	}
}

// serveFTP has one file. Its data come over connections of their own.
func serveFTP(t *testing.T) string {
	const file = "first line\r\nsecond line\r\n"
	stored := ""
	return serve(t, func(conn *net.TCPConn) {
		var data net.Listener
		transfer := func(do func(net.Conn) error) string {
			peer, err := data.Accept()
			if err == nil {
				_, err = fmt.Fprint(conn, "150 now\r\n")
			}
			if err == nil {
				err = do(peer)
			}
			if err != nil {
				t.Error(err)
			}
			return "226 it was all\r\n"
		}
		lines(conn, "220 here\r\n", func(command, argument string) string {
			switch command {
			case "USER":
				return "331 and the password\r\n"
			case "PASS":
				return "230 in\r\n"
			case "TYPE":
				return "200 as you like\r\n"
			case "PASV":
				var err error
				if data, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
					t.Error(err)
					return ""
				}
				port := data.Addr().(*net.TCPAddr).Port
				return fmt.Sprintf("227 at (127,0,0,1,%d,%d)\r\n", port>>8, port&0xff)
			case "RETR":
				return transfer(func(peer net.Conn) error {
					_, err := fmt.Fprint(peer, file+stored)
					return closing(peer, data, err)
				})
			case "STOR":
				return transfer(func(peer net.Conn) error {
					reader := bufio.NewReader(peer)
					line, err := reader.ReadString('\n')
					stored = line
					return closing(peer, data, err)
				})
			case "QUIT":
				return "221 bye\r\n"
			}
			return "502 no\r\n"
		})
	})
}

// closing closes what a transfer had, and gives the first error.
func closing(peer net.Conn, data net.Listener, err error) error {
	for _, e := range []error{peer.Close(), data.Close()} {
		if err == nil {
			err = e
		}
	}
	return err
}

// TestLineProtocols has the standard library's clients of older protocols talk to
// servers of theirs.
func TestLineProtocols(t *testing.T) {
	pop := serve(t, func(conn *net.TCPConn) {
		lines(conn, "+OK here\r\n", func(command, argument string) string {
			switch command {
			case "STAT":
				return "+OK 2 300\r\n"
			case "RETR":
				return "+OK\r\nSubject: " + argument + "\r\n\r\nbody\r\n.\r\n"
			}
			return "+OK\r\n"
		})
	})
	result := networked(t, `
import ftplib, io, os, poplib
ftp = ftplib.FTP(timeout=10)
ftp.connect("127.0.0.1", int(os.environ["FTP"])); ftp.login("u", "p")
ftp.storbinary("STOR x", io.BytesIO(b"stored line\r\n"))
got = []; ftp.retrlines("RETR x", got.append); ftp.quit()
pop = poplib.POP3("127.0.0.1", int(os.environ["POP"]), timeout=10)
result = [got, pop.stat(), [line.decode() for line in pop.retr(2)[1]]]; pop.quit()
`, "FTP", serveFTP(t), "POP", pop)
	if want := `[["first line", "second line", "stored line"], [2, 300], ["Subject: 2", "", "body"]]`; string(result.Value) != want {
		t.Errorf("gave %s, want %s", result.Value, want)
	}
}
