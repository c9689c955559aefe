package vfs

// setLinkTimes is not possible with what Go offers here.
func (d hostDir) setLinkTimes(string, Times) error { return ErrUnsupported }
