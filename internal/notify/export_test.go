package notify

// The next digests, for tests outside.
var (
	NextDigest = nextDigest
	NextWeekly = nextWeekly
)
