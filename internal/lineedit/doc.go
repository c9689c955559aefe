// Package lineedit reads lines at a terminal, which can be edited as in most
// shells: cursor keys, the usual control characters, a history, and pastes of
// several lines. [Editor] knows keys and a screen as bytes; [Terminal] adds the
// device.
package lineedit
