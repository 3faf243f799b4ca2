package chart

// TextWidth is the estimate that layouts reckon with.
var TextWidth = textWidth

// SafeHref tells which addresses may be a link.
var SafeHref = safeHref

// Fit and Wrap cut texts to a width.
var (
	Fit  = fit
	Wrap = wrap
)

// Ticks are the round values of an axis.
func Ticks(u Unit, lo, hi float64, n int, whole bool) []float64 { return u.ticks(lo, hi, n, whole) }
