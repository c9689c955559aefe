// Package secret keeps values from a sandbox that may use them all the same.
//
// The guest is given a placeholder in place of each value. A [Filter] stands at
// a connection: in the HTTP/1.1 requests that go out it puts the value where
// the placeholder is, if the connection and the request are for a host that the
// secret is bound to, and in what comes back it masks the value. What leaves
// the sandbox otherwise, such as its output, goes through a [Stream] or through
// [Set.Text].
//
// A mask is as long as what it hides, so that lengths which were announced
// stay true, and sizes and offsets of files, too.
//
// What is not understood gets no value: a request that two parsers could read
// differently passes as it is, placeholder included, and so does all that comes
// after it on the connection.
//
// The package is pure: bytes go in and come out. It depends on who calls it for
// the name that a connection's peer was verified to have.
package secret
