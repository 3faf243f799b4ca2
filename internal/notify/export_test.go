package notify

// NextDigest is nextDigest, for tests outside.
var NextDigest = nextDigest
